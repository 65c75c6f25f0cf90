package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.larder.csi.cluster.ApiClient.Patch;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the status of this node's NodeCache, and nobody else does: when more than a little has changed at most every
 * {@link #SOON}, else every {@link #LATE}. The object is made when it is missing and ends with its Node. One thread.
 */
final class NodeCacheReport {
    private static final Logger LOG = LoggerFactory.getLogger(NodeCacheReport.class);

    static final Duration SOON = Duration.ofSeconds(10);
    static final Duration LATE = Duration.ofSeconds(60);

    private static final String READY = "Ready";

    private final ApiClient api;
    private final String node;
    private final Supplier<CacheSnapshot> observe;
    private final InstantSource clock;

    private Instant observedAt = Instant.EPOCH;
    private CacheSnapshot written;
    /** The object as the last answer had it; null = not known. */
    private JsonNode there;

    private volatile Instant writtenAt = Instant.EPOCH;

    /** @param observe asks the node's agents */
    NodeCacheReport(ApiClient api, String node, Supplier<CacheSnapshot> observe, InstantSource clock) {
        this.api = api;
        this.node = node;
        this.observe = observe;
        this.clock = clock;
    }

    /** When it was written last; the epoch = never. */
    Instant writtenAt() {
        return writtenAt;
    }

    /** Looks, if it is time to, and writes, if it is worth it. */
    void report() throws ApiException, InterruptedException {
        Instant now = clock.instant();
        if (now.isBefore(observedAt.plus(SOON))) {
            return;
        }
        observedAt = now;
        CacheSnapshot snapshot = observe.get();
        boolean late = !now.isBefore(writtenAt.plus(LATE));
        if (late || written == null || !snapshot.isNear(written)) {
            write(snapshot, now);
            written = snapshot;
            writtenAt = now;
        }
    }

    private void write(CacheSnapshot snapshot, Instant now) throws ApiException, InterruptedException {
        try {
            if (there == null) {
                there = api.get(ApiPaths.nodeCache(node));
            }
            there = api.patch(ApiPaths.nodeCache(node) + "/status", Patch.MERGE, patch(snapshot, now));
        } catch (ApiException e) {
            there = null;
            if (!e.isNotFound()) {
                throw e;
            }
            there = create();
            there = api.patch(ApiPaths.nodeCache(node) + "/status", Patch.MERGE, patch(snapshot, now));
        }
    }

    private JsonNode create() throws ApiException, InterruptedException {
        JsonNode owner = api.get(ApiPaths.node(node)).path("metadata");
        ObjectNode object = ApiClient.json().createObjectNode();
        object.put("apiVersion", "larder.dev/v1alpha1").put("kind", "NodeCache");
        ObjectNode metadata = object.putObject("metadata").put("name", node);
        metadata.putObject("labels").put("app.kubernetes.io/name", "larder");
        metadata.putArray("ownerReferences")
                .addObject()
                .put("apiVersion", "v1")
                .put("kind", "Node")
                .put("name", node)
                .put("uid", owner.path("uid").asText());
        object.putObject("spec");
        try {
            JsonNode made = api.create(ApiPaths.NODE_CACHES, object);
            LOG.info("made the NodeCache {}", node);
            return made;
        } catch (ApiException e) {
            // An answer that was lost on its way: it is there.
            if (!e.isConflict()) {
                throw e;
            }
            return api.get(ApiPaths.nodeCache(node));
        }
    }

    /** A merge patch: what the object has beside it goes. */
    private ObjectNode patch(CacheSnapshot snapshot, Instant now) {
        ObjectNode patch = ApiClient.json().createObjectNode();
        ObjectNode status = patch.putObject("status");
        String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
        status.putArray("conditions").add(condition(snapshot, time));
        status.put("observed", time);
        if (snapshot.capacityBytes() > 0) {
            status.put("capacity", Long.toString(snapshot.capacityBytes()));
        }
        status.put("used", Long.toString(snapshot.usedBytes()));
        ObjectNode volumes = status.putObject("volumes");
        there.path("status").path("volumes").fieldNames().forEachRemaining(volumes::putNull);
        snapshot.volumes()
                .forEach((id, share) -> volumes.putObject(id)
                        .put("volume", share.name())
                        .put("cachedBytes", share.cachedBytes())
                        .put("hitBytes", share.hitBytes())
                        .put("missBytes", share.missBytes())
                        .put("dirtyBytes", share.dirtyBytes()));
        return patch;
    }

    private ObjectNode condition(CacheSnapshot snapshot, String now) {
        String status = snapshot.ready() ? "True" : "False";
        String since = now;
        for (JsonNode before : there.path("status").path("conditions")) {
            if (before.path("type").asText().equals(READY)
                    && before.path("status").asText().equals(status)) {
                since = before.path("lastTransitionTime").asText(now);
            }
        }
        return ApiClient.json()
                .createObjectNode()
                .put("type", READY)
                .put("status", status)
                .put("reason", snapshot.reason())
                .put("message", snapshot.message())
                .put("lastTransitionTime", since);
    }
}
