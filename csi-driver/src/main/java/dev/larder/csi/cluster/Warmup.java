package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/**
 * A CacheWarmup that is to be carried out here, without its paths, which may be long.
 *
 * @param volume namespace/name of the SharedVolume
 * @param nodeSelector labels that the node must have
 * @param begun this node's entry says that it runs, or ran when an earlier process ended
 */
record Warmup(
        String uid, String namespace, String name, String volume, Map<String, String> nodeSelector, boolean begun) {
    static final String RUNNING = "Running";
    static final String DONE = "Done";
    static final String FAILED = "Failed";

    Warmup {
        nodeSelector = Map.copyOf(nodeSelector);
    }

    /** Of an object as the API server has it. */
    static Warmup of(JsonNode object, String node) {
        JsonNode metadata = object.path("metadata");
        JsonNode spec = object.path("spec");
        String namespace = metadata.path("namespace").asText();
        Map<String, String> selector = new TreeMap<>();
        spec.path("nodeSelector")
                .properties()
                .forEach(label -> selector.put(label.getKey(), label.getValue().asText()));
        return new Warmup(
                metadata.path("uid").asText(),
                namespace,
                metadata.path("name").asText(),
                namespace + "/" + spec.path("volume").asText(),
                selector,
                phase(object, node).equals(RUNNING));
    }

    /** Whether this node has nothing more to do for it. */
    static boolean isFinished(JsonNode object, String node) {
        String phase = phase(object, node);
        return phase.equals(DONE) || phase.equals(FAILED);
    }

    private static String phase(JsonNode object, String node) {
        return object.path("status").path("nodes").path(node).path("phase").asText();
    }

    boolean selects(Map<String, String> labels) {
        return labels.entrySet().containsAll(nodeSelector.entrySet());
    }

    String path() {
        return ApiPaths.warmup(namespace, name);
    }

    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
