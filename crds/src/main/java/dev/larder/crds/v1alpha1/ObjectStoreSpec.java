package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.larder.crds.ObjectStore.Checksum;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/** Where volumes' bytes are kept. Exactly one of the three is given. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "[has(self.s3), has(self.postgres), has(self.directory)].filter(x, x).size() == 1",
        message = "give exactly one of s3, postgres and directory")
@ValidationRule(
        value =
                "has(self.s3) == has(oldSelf.s3) && has(self.postgres) == has(oldSelf.postgres) && has(self.directory) == has(oldSelf.directory)",
        message = "the kind of store cannot be changed: volumes' bytes are there; make another ObjectStore")
public record ObjectStoreSpec(
        @JsonPropertyDescription("A bucket of any S3-compatible server")
        S3 s3,

        @JsonPropertyDescription("Rows of the volume's own database: {}")
        Postgres postgres,

        @JsonPropertyDescription("A directory that every node sees at the same path")
        Directory directory,

        @JsonPropertyDescription("Namespaces whose SharedVolumes may use it; default: every namespace") @Size(max = 256)
        List<@Pattern(Patterns.DNS_LABEL) @Size(max = 63) String> allowedNamespaces) {

    /** A bucket of any S3-compatible server. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record S3(
            @JsonPropertyDescription("http or https; default: AWS's own of the region")
            @Size(max = 512)
            @Pattern("^https?://[^/?#@]+/?$")
            @ValidationRule(
                    value = "isURL(self)",
                    message = "endpoint must be a URL such as https://minio.storage:9000")
            String endpoint,

            @JsonPropertyDescription("It must exist")
            @Required
            @Pattern("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
            @Size(max = 63)
            @ValidationRule(
                    value = "self == oldSelf",
                    message = "bucket cannot be changed: volumes' bytes are there; make another ObjectStore")
            String bucket,

            @JsonPropertyDescription("Every volume gets a folder of its own below; ends in /, or is empty")
            @Default("")
            @Pattern("^([.]?[A-Za-z0-9_-][A-Za-z0-9._-]*/)*$")
            @Size(max = 512)
            @ValidationRule(
                    value = "self == oldSelf",
                    message = "prefix cannot be changed: volumes' bytes are there; make another ObjectStore")
            String prefix,

            @JsonPropertyDescription("Of the bucket") @Default("us-east-1") @Pattern("^[a-z0-9-]{1,40}$")
            String region,

            @JsonPropertyDescription(
                    "The bucket is named in the path, not in the host; default: true with an endpoint, else false")
            Boolean pathStyle,

            @JsonPropertyDescription("Default: what the node and the operator find around them (the AWS SDK's chain)")
            Credentials credentials,

            @JsonPropertyDescription("The way to the server; default: direct")
            Proxy proxy,

            @JsonPropertyDescription("PEM certificates to trust instead of the usual ones")
            @Size(max = 65536)
            @Pattern(Patterns.PEM)
            String caBundle,

            @JsonPropertyDescription("Of new objects; default: the bucket's") @Pattern("^[A-Z][A-Z0-9_]{1,40}$")
            String storageClass,

            @JsonPropertyDescription("What the server compares each object with") @Default("crc32c")
            Checksum checksum) {
        /** Whether the bucket is named in the path. */
        public boolean inPath() {
            return pathStyle == null ? endpoint != null : pathStyle;
        }
    }

    /** Where volumes' keys come from. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "self.type != 'assumeRole' || has(self.roleArn)",
            message = "type: assumeRole needs roleArn")
    @ValidationRule(
            value =
                    "self.type == 'assumeRole' || (!has(self.roleArn) && !has(self.durationSeconds) && !has(self.stsEndpoint))",
            message = "roleArn, durationSeconds and stsEndpoint belong to type: assumeRole")
    public record Credentials(
            @JsonPropertyDescription(
                    "static: every volume gets the Secret's keys. assumeRole: every volume gets keys that reach its own folder only, made with the Secret's keys and renewed")
            @Default("static")
            CredentialType type,

            @JsonPropertyDescription("Secret with accessKeyId and secretAccessKey (and sessionToken)") @Required
            SecretReference secretRef,

            @JsonPropertyDescription("The role that is assumed; it must be allowed to read and write the bucket")
            @Pattern("^arn:[^\\s]+$")
            @Size(max = 2048)
            String roleArn,

            @JsonPropertyDescription("How long keys live; default: 3600; renewed at half of it") @Min(3600) @Max(43200)
            Integer durationSeconds,

            @JsonPropertyDescription("Default: the store's own endpoint, or AWS's of the region")
            @Size(max = 512)
            @Pattern("^https?://[^/?#@]+/?$")
            String stsEndpoint) {}

    public enum CredentialType {
        STATIC("static"),
        ASSUME_ROLE("assumeRole");

        private final String text;

        CredentialType(String text) {
            this.text = text;
        }

        @JsonValue
        public String text() {
            return text;
        }
    }

    /** The HTTP proxy between the nodes and the server. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Proxy(
            @JsonPropertyDescription("http://HOST:PORT") @Required @Size(max = 512) @Pattern("^http://[^/?#@]+/?$")
            String url,

            @JsonPropertyDescription("Hosts that are reached directly") @Size(max = 256)
            List<@Size(max = 253) String> noProxy) {}

    /** The bytes are in the volume's own database. */
    public record Postgres() {}

    /** A directory of the nodes. Which ones may be named is set where Larder is installed. */
    @ValidationRule(
            value = "has(self.shared) && self.shared",
            message =
                    "directory needs shared: true, by which you promise that every node sees the same directory there")
    @ValidationRule(
            value = "self.path == oldSelf.path",
            message = "path cannot be changed: volumes' bytes are there; make another ObjectStore")
    public record Directory(
            @JsonPropertyDescription("Absolute; one of those that the installation allows")
            @Required
            @Size(max = 512)
            @Pattern("^(/[A-Za-z0-9._-]*[A-Za-z0-9_-])+$")
            String path,

            @JsonPropertyDescription("You promise that every node sees the same directory there") @Required
            Boolean shared) {}
}
