package dev.larder.operator;

import io.fabric8.kubernetes.api.model.Secret;
import java.time.Instant;
import java.util.Objects;

/**
 * Keys of an S3 store.
 *
 * @param sessionToken null for keys that live for ever
 * @param expires null for those
 */
record Keys(String accessKeyId, String secretAccessKey, String sessionToken, Instant expires) {
    static Keys of(Secret secret, String store) {
        return new Keys(
                SecretValues.require(secret, "accessKeyId", "ObjectStore " + store),
                SecretValues.require(secret, "secretAccessKey", "ObjectStore " + store),
                SecretValues.get(secret, "sessionToken"),
                null);
    }

    /** Lines, as nodes read them. */
    String file() {
        return "accessKeyId=" + accessKeyId + "\nsecretAccessKey=" + secretAccessKey + "\n"
                + (sessionToken == null ? "" : "sessionToken=" + sessionToken + "\n");
    }

    /** Tells two apart without keeping them. */
    int fingerprint() {
        return Objects.hash(accessKeyId, secretAccessKey, sessionToken);
    }

    /** Without the secrets. */
    @Override
    public String toString() {
        return "Keys[" + accessKeyId + "]";
    }
}
