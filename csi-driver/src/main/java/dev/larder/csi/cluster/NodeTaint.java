package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.larder.csi.cluster.ApiClient.Patch;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The taint {@value #KEY}:{@value #EFFECT} of a node that has had no agent for a while, so that no more pods come. No
 * other taint is touched: each patch names what it found, and is refused when that is not so any more. One thread.
 */
final class NodeTaint {
    private static final Logger LOG = LoggerFactory.getLogger(NodeTaint.class);

    static final String KEY = "larder.dev/agent-not-ready";
    static final String EFFECT = "NoSchedule";

    /** Against others who change the Node at the same moment. */
    private static final int ATTEMPTS = 5;

    /** Somebody may have taken it away, or put it there, by hand. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(60);

    private final ApiClient api;
    private final String node;
    private final boolean enabled;
    private final Duration grace;
    private final LongSupplier nanoClock;

    private boolean absent;
    private long absentSince;
    private boolean looked;
    private long lookedAt;
    private volatile boolean tainted;

    /**
     * @param enabled false: a taint that is there is taken away
     * @param grace without an agent, before it is set
     */
    NodeTaint(ApiClient api, String node, boolean enabled, Duration grace, LongSupplier nanoClock) {
        this.api = api;
        this.node = node;
        this.enabled = enabled;
        this.grace = grace;
        this.nanoClock = nanoClock;
    }

    /** As the node was seen last. */
    boolean isSet() {
        return tainted;
    }

    /** Sets it or takes it away if need be. @param agents that can serve */
    void observe(int agents) throws ApiException, InterruptedException {
        long now = nanoClock.getAsLong();
        if (agents > 0) {
            absent = false;
        } else if (!absent) {
            absent = true;
            absentSince = now;
        }
        boolean wanted = enabled && absent && now - absentSince >= grace.toNanos();
        boolean waiting = enabled && absent && !wanted;
        boolean stale = !looked || now - lookedAt >= LOOK_AGAIN.toNanos();
        if (!waiting && (stale || wanted != tainted)) {
            apply(wanted);
            looked = true;
            lookedAt = now;
        }
    }

    /** A node without a plugin is not this taint's business; the next plugin sets it again. */
    void end() throws ApiException, InterruptedException {
        if (tainted) {
            apply(false);
        }
    }

    private void apply(boolean wanted) throws ApiException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            JsonNode found = api.get(ApiPaths.node(node));
            JsonNode taints = found.path("spec").path("taints");
            int at = indexOf(taints);
            tainted = at >= 0;
            if (tainted == wanted) {
                return;
            }
            try {
                api.patch(ApiPaths.node(node), Patch.JSON, wanted ? addition(found, taints) : removal(taints, at));
                tainted = wanted;
                LOG.info("the node's taint is {} taint={}:{}", wanted ? "set" : "taken away", KEY, EFFECT);
                return;
            } catch (ApiException e) {
                if (!e.isConflict() || attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static int indexOf(JsonNode taints) {
        for (int i = 0; i < taints.size(); i++) {
            JsonNode taint = taints.get(i);
            if (taint.path("key").asText().equals(KEY)
                    && taint.path("effect").asText().equals(EFFECT)) {
                return i;
            }
        }
        return -1;
    }

    private static ArrayNode addition(JsonNode found, JsonNode taints) {
        ObjectNode taint = JsonNodeFactory.instance.objectNode().put("key", KEY).put("effect", EFFECT);
        ArrayNode patch = JsonNodeFactory.instance.arrayNode();
        if (taints.isArray()) {
            patch.add(operation("test", "/spec/taints", taints));
            patch.add(operation("add", "/spec/taints/-", taint));
        } else {
            JsonNode version = found.path("metadata").path("resourceVersion");
            patch.add(operation("test", "/metadata/resourceVersion", version));
            patch.add(operation(
                    "add", "/spec/taints", JsonNodeFactory.instance.arrayNode().add(taint)));
        }
        return patch;
    }

    private static ArrayNode removal(JsonNode taints, int at) {
        ArrayNode patch = JsonNodeFactory.instance.arrayNode();
        patch.add(operation("test", "/spec/taints/" + at, taints.get(at)));
        ObjectNode remove = patch.addObject();
        remove.put("op", "remove").put("path", "/spec/taints/" + at);
        return patch;
    }

    private static ObjectNode operation(String name, String path, JsonNode value) {
        ObjectNode operation = JsonNodeFactory.instance.objectNode();
        operation.put("op", name).put("path", path).set("value", value);
        return operation;
    }
}
