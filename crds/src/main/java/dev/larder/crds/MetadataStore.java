package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Path;

/** A PostgreSQL server that holds volumes' metadata. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record MetadataStore(String apiVersion, String kind, ObjectMeta metadata, Spec spec) {
    public static final String KIND = "MetadataStore";

    public MetadataStore(ObjectMeta metadata, Spec spec) {
        this(Manifest.API_VERSION, KIND, metadata, spec);
    }

    /** Exactly one of the two is given. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Spec(
            @Described("A PostgreSQL that Larder starts and stops; `{}` will do.")
            Embedded embedded,

            @Described("A PostgreSQL 14 or newer that you run.")
            Postgres postgres) {}

    /** @param directory absolute; null = below the state directory */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Embedded(
            @Described(value = "The server's files.", byDefault = "below the state directory")
            Path directory) {}

    /**
     * A server that is there already. Its secret has {@code username} and {@code password} of a role that may create
     * databases and roles.
     *
     * @param url see {@link PostgresUrl}; every volume has a database of its own there
     */
    public record Postgres(
            @Described(
                    "postgresql://HOST[:PORT][,HOST[:PORT]...][?sslmode=MODE&sslrootcert=FILE&sslcert=FILE&sslkey=FILE], without user and password; every volume gets a database and roles of its own there. Several hosts are a primary and its standbys: the one that can be written to is used (`target_session_attrs=read-write`, or `targetServerType=primary`, may say so, too). MODE: disable, require (the default unless every host is this machine), verify-ca, verify-full.")
            String url,

            @Described(
                    value = "`username` and `password` of a role that may create databases and roles.",
                    inline = true)
            SecretSource secret) {}
}
