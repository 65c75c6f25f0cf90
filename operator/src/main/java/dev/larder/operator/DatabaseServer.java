package dev.larder.operator;

import dev.larder.crds.PostgresUrl;
import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.MetadataStoreSpec;
import dev.larder.protocol.VolumeAccess;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.ServerLogin;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.file.Path;
import java.util.UUID;

/**
 * A MetadataStore as the operator and the nodes reach it.
 *
 * @param admin with the operator's own file of certificates
 * @param nodes the same server with the nodes' file
 * @param caBundle PEM, or null
 */
record DatabaseServer(ServerLogin admin, ServerLogin nodes, String caBundle) {
    private static final String USERNAME = "username";
    private static final String PASSWORD = "password";

    /**
     * @param secret that the store names
     * @param certificates where a bundle is put for the driver, which reads files only
     * @throws Problem when Secret or URL are wrong
     */
    static DatabaseServer of(MetadataStore store, Secret secret, CertificateFiles certificates) {
        String name = store.getMetadata().getName();
        MetadataStoreSpec.Postgres spec = store.getSpec().postgres();
        String user = SecretValues.require(secret, USERNAME, "MetadataStore " + name);
        String password = SecretValues.require(secret, PASSWORD, "MetadataStore " + name);
        PostgresUrl url = parse(name, spec, certificates);
        String parameters = url.jdbcParameters();
        String forNodes = spec.caBundle() == null
                ? parameters
                : parameters.replace(
                        certificates.of(spec.caBundle()).toString(),
                        VolumeAccess.DIRECTORY + "/" + VolumeAccess.DATABASE_CA);
        var servers = url.servers().stream().map(PostgresUrl.Server::toString).toList();
        return new DatabaseServer(
                new ServerLogin(servers, user, password, parameters),
                new ServerLogin(servers, user, password, forNodes),
                spec.caBundle());
    }

    private static PostgresUrl parse(String store, MetadataStoreSpec.Postgres spec, CertificateFiles certificates) {
        try {
            if (spec.caBundle() == null) {
                return PostgresUrl.parse(spec.url());
            }
            Path file = certificates.of(spec.caBundle());
            return PostgresUrl.parse(spec.url() + "&sslrootcert=" + file);
        } catch (IllegalArgumentException e) {
            throw new Problem(
                    Problem.Cause.StoreNotReady,
                    "MetadataStore " + store + ": its url " + e.getMessage() + "; kubectl edit metadatastore " + store,
                    e);
        }
    }

    /** What nodes connect to; {@link VolumeAccess#DIRECTORY} stands for where they keep the Secret's files. */
    String nodeUrl(UUID volume) {
        return nodes.url(SchemaMigration.databaseName(volume));
    }

    /** Without the password. */
    @Override
    public String toString() {
        return admin.toString();
    }
}
