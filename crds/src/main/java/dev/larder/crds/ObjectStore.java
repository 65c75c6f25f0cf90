package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/** Where volumes' bytes are. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ObjectStore(String apiVersion, String kind, ObjectMeta metadata, Spec spec) {
    public static final String KIND = "ObjectStore";

    public ObjectStore(ObjectMeta metadata, Spec spec) {
        this(Manifest.API_VERSION, KIND, metadata, spec);
    }

    /** Exactly one of the three is given. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Spec(
            @Described("A directory; `{}` will do.") Directory directory,

            @Described("A bucket of any S3-compatible server.")
            S3 s3,

            @Described("Rows of the volume's own database: `{}`.")
            Postgres postgres) {}

    /** @param path absolute; null = below the state directory */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Directory(
            @Described(
                    value = "Where it is; each volume gets a directory of its own below.",
                    byDefault = "below the state directory")
            Path path,

            @Described(
                    value =
                            "You promise that every machine that mounts the volume sees the same directory there; needs `path`.",
                    byDefault = "false")
            boolean shared) {}

    /**
     * A bucket of any S3-compatible server.
     *
     * @param endpoint null = that of AWS for the region
     * @param prefix "" or ends with '/'
     * @param credentials null = the SDK's default chain
     * @param proxy null = a direct connection
     * @param storageClass null = the bucket's default
     * @param caBundle null = the certificates that the JVM trusts
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record S3(
            @Described(value = "http or https.", byDefault = "AWS's own of the region")
            URI endpoint,

            @Described("It must exist.") String bucket,

            @Described(value = "Every volume gets a folder of its own below.", byDefault = "none")
            String prefix,

            @Described(value = "Of the bucket.", byDefault = "us-east-1")
            String region,

            @Described(
                    value = "The bucket is named in the path, not in the host.",
                    byDefault = "true with an endpoint, else false")
            boolean pathStyle,

            @Described(
                    value = "A secret with `accessKeyId` and `secretAccessKey` (and `sessionToken`).",
                    byDefault = "the AWS SDK's chain: environment, ~/.aws, the machine's role")
            SecretSource credentials,

            @Described(value = "The way to the server.", byDefault = "direct")
            Proxy proxy,

            @Described(value = "Of new objects.", byDefault = "the bucket's")
            String storageClass,

            @Described(
                    value = "A PEM file with the certificates to trust instead of the usual ones.",
                    byDefault = "the JDK's")
            Path caBundle,

            @Described(
                    value =
                            "What the server compares each object with. Over http, `sha256` also signs the object's bytes.",
                    byDefault = "crc32c")
            Checksum checksum) {}

    /** Of objects on their way to the bucket. */
    public enum Checksum {
        CRC32C("crc32c"),
        SHA256("sha256");

        private final String text;

        Checksum(String text) {
            this.text = text;
        }

        @JsonValue
        public String text() {
            return text;
        }
    }

    /** The HTTP proxy between this machine and the server. */
    public record Proxy(
            @Described("http://HOST:PORT") URI url,

            @Described(value = "Hosts that are reached directly.", byDefault = "none")
            List<String> noProxy) {}

    /** The bytes are in the volume's own database. */
    public record Postgres() {}
}
