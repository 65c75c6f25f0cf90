package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
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
    public record Spec(Directory directory, S3 s3, Postgres postgres) {}

    /**
     * @param path absolute; null = below the state directory
     * @param shared every machine that mounts the volume sees the same directory there
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Directory(Path path, boolean shared) {}

    /**
     * A bucket of any S3-compatible server.
     *
     * @param endpoint http or https; null = that of AWS for the region
     * @param prefix below which every volume has a folder of its own; "" or ends with '/'
     * @param pathStyle the bucket is named in the path, not in the host; by default when an endpoint is given
     * @param credentials secret with {@code accessKeyId} and {@code secretAccessKey} ({@code sessionToken}); null = the
     *     SDK's default chain
     * @param proxy null = a direct connection
     * @param storageClass of new objects; null = the bucket's default
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record S3(
            URI endpoint,
            String bucket,
            String prefix,
            String region,
            boolean pathStyle,
            SecretSource credentials,
            Proxy proxy,
            String storageClass) {}

    /**
     * @param url http://HOST:PORT
     * @param noProxy hosts that are reached directly
     */
    public record Proxy(URI url, List<String> noProxy) {}

    /** The bytes are in the volume's own database. */
    public record Postgres() {}
}
