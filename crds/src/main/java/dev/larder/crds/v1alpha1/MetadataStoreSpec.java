package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/** Where volumes' names are kept. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record MetadataStoreSpec(
        @JsonPropertyDescription("A PostgreSQL 14 or newer; every volume gets a database and roles of its own there")
        @Required
        Postgres postgres,

        @JsonPropertyDescription("Namespaces whose SharedVolumes may use it; default: every namespace") @Size(max = 256)
        List<@Pattern(Patterns.DNS_LABEL) @Size(max = 63) String> allowedNamespaces,

        @JsonPropertyDescription(
                "Volumes that a namespace may take over with spec.adopt though another namespace or cluster had them")
        @Size(max = 256)
        List<Adoption> adoptions) {

    /** One volume that may change hands. */
    public record Adoption(
            @JsonPropertyDescription("The volume's uuid") @Required @Pattern(Patterns.UUID) @Size(max = 36)
            String volumeId,

            @JsonPropertyDescription("The namespace of the SharedVolume that adopts it")
            @Required
            @Pattern(Patterns.DNS_LABEL)
            @Size(max = 63)
            String namespace) {}

    /** Whether an administrator lets this namespace take this volume over. */
    public boolean letsAdopt(String volumeId, String namespace) {
        return adoptions != null && adoptions.contains(new Adoption(volumeId, namespace));
    }

    /** A server that is there already. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "self.url.matches('[?&]sslmode=verify-') == has(self.caBundle)",
            message = "caBundle is needed with sslmode verify-ca or verify-full in the url, and only then")
    public record Postgres(
            @JsonPropertyDescription(
                    "postgresql://HOST[:PORT][,HOST[:PORT]...][?sslmode=disable|require|verify-ca|verify-full]; without user, password and files")
            @Required
            @Size(min = 14, max = 2048)
            @Pattern("^postgres(ql)?://[^/?#@]+(/|/postgres)?([?][^#]*)?$")
            @ValidationRule(
                    value = "!self.contains('sslrootcert=') && !self.contains('sslcert=') && !self.contains('sslkey=')",
                    message = "url names a file, which no node has: put the certificates into caBundle")
            @ValidationRule(
                    value = "!self.matches('(?i)[?&](user|password|sslpassword)=')",
                    message = "url holds a user or password: put both into the Secret of secretRef")
            String url,

            @JsonPropertyDescription("Secret with username and password of a role that may create databases and roles")
            @Required
            SecretReference secretRef,

            @JsonPropertyDescription(
                    "PEM certificates that the server's is checked against; needs sslmode=verify-ca or verify-full")
            @Size(max = 65536)
            @Pattern(Patterns.PEM)
            String caBundle) {}
}
