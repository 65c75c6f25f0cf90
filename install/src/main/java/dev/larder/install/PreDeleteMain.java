package dev.larder.install;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Refuses an uninstall while pods use volumes: without the node's plugin and agent their reads and writes would hang,
 * then fail, and they could not be ended cleanly.
 */
public final class PreDeleteMain {
    private static final String DRIVER = "csi.larder.dev";
    private static final Set<String> ENDED = Set.of("Succeeded", "Failed");
    private static final int NAMED = 5;

    private PreDeleteMain() {}

    public static void main(String[] arguments) {
        Hook.main(api -> {
            Flags.parse("pre-delete", List.of(arguments), Map.of());
            refuseWhileMounted(api);
        });
    }

    static void refuseWhileMounted(ApiServer api) {
        Set<String> users = users(api.list("/api/v1/pods"), claims(api.list("/api/v1/persistentvolumes")));
        if (!users.isEmpty()) {
            throw new InstallException(
                    "pre-delete: %d pods use volumes of Larder: %s. Try: delete them first; or, if you"
                                    .formatted(
                                            users.size(),
                                            String.join(
                                                    ", ",
                                                    users.stream().limit(NAMED).toList()))
                            + " accept that they fail: helm uninstall --no-hooks");
        }
        System.err.println("larder: pre-delete: no pod uses a volume");
    }

    /** @return namespace/name of the claims that are bound to volumes of this driver */
    private static Set<String> claims(List<JsonNode> volumes) {
        Set<String> claims = new HashSet<>();
        for (JsonNode volume : volumes) {
            JsonNode spec = volume.path("spec");
            if (spec.path("csi").path("driver").asText().equals(DRIVER)) {
                JsonNode claim = spec.path("claimRef");
                claims.add(claim.path("namespace").asText() + "/"
                        + claim.path("name").asText());
            }
        }
        return claims;
    }

    private static Set<String> users(List<JsonNode> pods, Set<String> claims) {
        Map<String, String> users = new HashMap<>();
        for (JsonNode pod : pods) {
            JsonNode metadata = pod.path("metadata");
            String namespace = metadata.path("namespace").asText();
            boolean runs = !pod.path("spec").path("nodeName").asText().isEmpty()
                    && !ENDED.contains(pod.path("status").path("phase").asText());
            for (JsonNode volume : pod.path("spec").path("volumes")) {
                String claim = claim(namespace, metadata.path("name").asText(), volume);
                if (runs && claims.contains(claim)) {
                    users.put(namespace + "/" + metadata.path("name").asText(), claim);
                }
            }
        }
        return new TreeSet<>(users.keySet());
    }

    /** A generic ephemeral volume's claim is called after the pod and the volume. */
    private static String claim(String namespace, String pod, JsonNode volume) {
        String name = volume.has("ephemeral")
                ? pod + "-" + volume.path("name").asText()
                : volume.path("persistentVolumeClaim").path("claimName").asText();
        return namespace + "/" + name;
    }
}
