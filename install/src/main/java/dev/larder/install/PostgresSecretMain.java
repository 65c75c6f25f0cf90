package dev.larder.install;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Makes the Secret of the quick start's metadata server, once: one that is there, whoever made it, stays. */
public final class PostgresSecretMain {
    private static final Map<String, String> FLAGS = Map.of("namespace", "NAMESPACE", "name", "NAME of the Secret");
    private static final int RANDOM_BYTES = 24;

    private PostgresSecretMain() {}

    public static void main(String[] arguments) {
        Hook.main(api -> {
            Map<String, String> flags = Flags.parse("postgres-secret", List.of(arguments), FLAGS);
            ensure(api, flags.get("namespace"), flags.get("name"), new SecureRandom());
        });
    }

    static void ensure(ApiServer api, String namespace, String name, SecureRandom random) {
        String path = "/api/v1/namespaces/" + namespace + "/secrets";
        try {
            api.get(path + "/" + name);
            System.err.println("larder: postgres-secret: " + namespace + "/" + name + " is there");
            return;
        } catch (ApiServer.Refusal e) {
            if (e.status() != 404) {
                throw e;
            }
        }
        try {
            api.create(path, secret(name, random));
            System.err.println("larder: postgres-secret: made " + namespace + "/" + name);
        } catch (ApiServer.Refusal e) {
            // Another made it between the two requests.
            if (e.status() != 409) {
                throw e;
            }
        }
    }

    private static ObjectNode secret(String name, SecureRandom random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        ObjectNode secret = JsonNodeFactory.instance.objectNode();
        secret.put("apiVersion", "v1").put("kind", "Secret").put("type", "Opaque");
        secret.putObject("metadata")
                .put("name", name)
                .putObject("labels")
                .put("app.kubernetes.io/name", "larder")
                .put("app.kubernetes.io/component", "postgres");
        secret.putObject("stringData")
                .put("username", "larder")
                .put("password", Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
        return secret;
    }
}
