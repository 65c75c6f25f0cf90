package dev.larder.csi.cluster;

import dev.larder.csi.NodeEvents;
import dev.larder.csi.NodeVolumes;
import dev.larder.csi.PublishedPods;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that csi-node tells the cluster. Nothing of it keeps a volume from being mounted: it has threads of its own, and an
 * API server that is away makes them wait.
 */
public final class NodeReports implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeReports.class);

    private static final Duration TURN = Duration.ofSeconds(2);
    private static final Duration EVENT_TURN = Duration.ofMillis(200);
    private static final Duration WATCH_TURN = Duration.ofSeconds(1);
    private static final Duration WATCH_TIME = Duration.ofMinutes(5);
    private static final Duration AGENT_PATIENCE = Duration.ofSeconds(3);
    private static final Duration TAINT_GRACE = Duration.ofSeconds(30);

    private final String node;
    private final boolean taintNotReady;
    private final MeterRegistry meters;
    private final ApiClient api;
    private final ClusterEvents events;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private NodeTaint taint;

    /**
     * Connects to nothing yet; events wait until {@link #start}.
     *
     * @param taintNotReady false: the node's taint is never set, and taken away where it is
     * @throws IOException when the CA's file cannot be used
     */
    public NodeReports(ApiAccess access, String node, boolean taintNotReady, PublishedPods pods, MeterRegistry meters)
            throws IOException {
        this.node = node;
        this.taintNotReady = taintNotReady;
        this.meters = meters;
        this.api = new ApiClient(access, meters);
        this.events = new ClusterEvents(node, pods, new EventSender(api, node, InstantSource.system(), meters), meters);
    }

    public NodeEvents events() {
        return events;
    }

    /** @param volumes of this node, custody of which is collected */
    public void start(NodeVolumes volumes) {
        CacheObserver observer = new CacheObserver(volumes, node, AGENT_PATIENCE);
        NodeCacheReport report = new NodeCacheReport(api, node, observer::observe, InstantSource.system());
        taint = new NodeTaint(api, node, taintNotReady, TAINT_GRACE, System::nanoTime);
        WarmupBoard board = new WarmupBoard(node, System::nanoTime);
        Warmups warmups = new Warmups(api, node, volumes, board, System::nanoTime, meters);
        register(volumes, report);
        parts.push(Loop.start("events", EVENT_TURN, events::take));
        parts.push(Loop.start("taint", TURN, () -> taint.observe(volumes.agents())));
        parts.push(Loop.start("node-cache", TURN, report::report));
        parts.push(warmups);
        parts.push(Loop.start("warmups", TURN, warmups::take));
        parts.push(Loop.start("warmup-watch", WATCH_TURN, new WarmupWatch(api, board, WATCH_TIME)::watch));
        LOG.info("the cluster is told of node={} taintNotReady={}", node, taintNotReady);
    }

    private void register(NodeVolumes volumes, NodeCacheReport report) {
        Gauge.builder("larder.csi.node.agents", volumes, NodeVolumes::agents)
                .description("node agents that can serve volumes")
                .register(meters);
        Gauge.builder("larder.csi.node.volumes", volumes, all -> all.mounted().size())
                .description("volumes that are mounted on the node")
                .register(meters);
        Gauge.builder("larder.csi.node.volumes.unserved", volumes, NodeReports::unserved)
                .description("volumes that are mounted and that no agent serves")
                .register(meters);
        Gauge.builder("larder.csi.node.tainted", taint, one -> one.isSet() ? 1 : 0)
                .description("1 when the node has the taint " + NodeTaint.KEY)
                .register(meters);
        Gauge.builder(
                        "larder.csi.nodecache.written",
                        report,
                        one -> one.writtenAt().getEpochSecond())
                .description("when the status of the NodeCache was written last, in seconds since 1970; 0 = never")
                .register(meters);
    }

    private static long unserved(NodeVolumes volumes) {
        return volumes.mounted().stream().filter(volume -> !volume.served()).count();
    }

    /** To be called before anything else of csi-node ends. What a run of a warm-up left is done by the next process. */
    @Override
    public void close() {
        while (!parts.isEmpty()) {
            closePart(parts.pop());
        }
        try {
            if (taint != null) {
                taint.end();
            }
        } catch (ApiException e) {
            LOG.warn(
                    "the node keeps its taint: {}; next: kubectl taint node {} {}-",
                    e.getMessage(),
                    node,
                    NodeTaint.KEY);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        api.close();
    }

    private static void closePart(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.warn("a report ended badly", e);
        }
    }
}
