package dev.larder.operator;

import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/** Reads and writes the members of Secrets, which are base64. */
final class SecretValues {
    private SecretValues() {}

    /** @return null when there is no such member */
    static String get(Secret secret, String key) {
        String value = secret.getData() == null ? null : secret.getData().get(key);
        return value == null ? null : new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8);
    }

    /**
     * Without the line break that a file often ends in.
     *
     * @param who names the Secret
     */
    static String require(Secret secret, String key, String who) {
        String value = get(secret, key);
        if (value == null || value.isBlank()) {
            String name = secret.getMetadata().getName();
            String namespace = secret.getMetadata().getNamespace();
            throw new Problem(
                    Problem.Cause.SecretIncomplete,
                    "Secret " + namespace + "/" + name + ", which " + who + " names, has no " + key + "; kubectl -n "
                            + namespace + " describe secret " + name);
        }
        return value.strip();
    }

    static Map<String, String> encode(Map<String, String> texts) {
        Map<String, String> data = new HashMap<>();
        texts.forEach((key, text) ->
                data.put(key, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))));
        return data;
    }
}
