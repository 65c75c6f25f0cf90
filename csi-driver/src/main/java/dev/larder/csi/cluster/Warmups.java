package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.larder.csi.NodeVolumes;
import dev.larder.csi.NodeVolumes.Mounted;
import dev.larder.csi.cluster.ApiClient.Patch;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's share of CacheWarmups: those whose volume is served here and whose selector fits this node's labels are run,
 * one at a time for each volume. {@link #take} is called by one thread.
 */
final class Warmups implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Warmups.class);

    /** At once, of different volumes. */
    private static final int MOST_RUNS = 4;

    /** Of one CacheWarmup whose agent goes away again and again. */
    private static final int ATTEMPTS = 8;

    private static final Duration LABELS_AGE = Duration.ofSeconds(60);

    private record Running(Warmup warmup, Future<?> future) {}

    private final ApiClient api;
    private final String node;
    private final NodeVolumes volumes;
    private final WarmupBoard board;
    private final LongSupplier nanoClock;
    private final MeterRegistry meters;
    private final Map<UUID, Running> running = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor runs;

    private Map<String, String> labels;
    private long labelsAt;

    Warmups(
            ApiClient api,
            String node,
            NodeVolumes volumes,
            WarmupBoard board,
            LongSupplier nanoClock,
            MeterRegistry meters) {
        this.api = api;
        this.node = node;
        this.volumes = volumes;
        this.board = board;
        this.nanoClock = nanoClock;
        this.meters = meters;
        this.runs = new ThreadPoolExecutor(0, MOST_RUNS, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), work -> {
            Thread thread = new Thread(work, "warmup");
            thread.setDaemon(true);
            return thread;
        });
        Gauge.builder("larder.csi.warmups.running", running, Map::size)
                .description("CacheWarmups that this node carries out now")
                .register(meters);
        Gauge.builder("larder.csi.warmups.unfinished", board, WarmupBoard::size)
                .description("CacheWarmups that this node has not finished; many wait for their volume to be mounted")
                .register(meters);
    }

    /** Ends what is not wanted any more and begins what can be. */
    void take() throws ApiException, InterruptedException {
        running.values().stream().filter(run -> !board.has(run.warmup.uid())).forEach(run -> run.future.cancel(true));
        Map<String, Mounted> mounted = new TreeMap<>();
        volumes.mounted().forEach(volume -> mounted.put(volume.name(), volume));
        for (Warmup warmup : board.due()) {
            Mounted volume = mounted.get(warmup.volume());
            if (volume == null) {
                withdraw(warmup);
            } else if (volume.served() && !running.containsKey(volume.id()) && isForThisNode(warmup)) {
                begin(warmup, volume);
            }
        }
    }

    /** What an earlier process, or this one, began for a volume that is not mounted here any more. */
    private void withdraw(Warmup warmup) throws ApiException, InterruptedException {
        boolean runs =
                running.values().stream().anyMatch(run -> run.warmup.uid().equals(warmup.uid()));
        if (!warmup.begun() || runs) {
            return;
        }
        ArrayNode patch = ApiClient.json().createArrayNode();
        patch.addObject().put("op", "test").put("path", "/metadata/uid").put("value", warmup.uid());
        patch.addObject().put("op", "remove").put("path", "/status/nodes/" + node);
        try {
            board.put(api.patch(warmup.path() + "/status", Patch.JSON, patch));
            LOG.info("warmup={} is withdrawn: its volume is not mounted here any more", warmup);
        } catch (ApiException e) {
            if (!e.isNotFound() && !e.isConflict()) {
                throw e;
            }
            // It is gone, or not as it was known here: the watch says what it is.
            board.postpone(warmup.uid());
        }
    }

    private boolean isForThisNode(Warmup warmup) throws ApiException, InterruptedException {
        return warmup.nodeSelector().isEmpty() || warmup.selects(labels());
    }

    private Map<String, String> labels() throws ApiException, InterruptedException {
        long now = nanoClock.getAsLong();
        if (labels == null || now - labelsAt >= LABELS_AGE.toNanos()) {
            JsonNode found = api.get(ApiPaths.node(node)).path("metadata").path("labels");
            Map<String, String> read = new TreeMap<>();
            found.properties()
                    .forEach(label -> read.put(label.getKey(), label.getValue().asText()));
            labels = read;
            labelsAt = now;
        }
        return labels;
    }

    private void begin(Warmup warmup, Mounted volume) {
        try {
            // Entered before it can end; and it cannot end before it is entered, for it removes itself.
            running.computeIfAbsent(
                    volume.id(), id -> new Running(warmup, runs.submit(() -> carryOut(warmup, volume))));
        } catch (RejectedExecutionException e) {
            LOG.debug("warmup={} waits: {} run", warmup, MOST_RUNS);
        }
    }

    private void carryOut(Warmup warmup, Mounted volume) {
        WarmupRun.End end = WarmupRun.End.CUT_SHORT;
        try {
            int failures = board.failures(warmup.uid());
            end = new WarmupRun(api, node, warmup, volume, nanoClock).run(failures + 1 >= ATTEMPTS);
        } catch (InterruptedException e) {
            LOG.info("warmup={} is given up: it was deleted, or this process ends", warmup);
        } catch (RuntimeException e) {
            LOG.error("warmup={} is tried again after a bug", warmup, e);
        } finally {
            if (end == WarmupRun.End.CUT_SHORT) {
                board.postpone(warmup.uid());
            } else {
                board.remove(warmup.uid());
            }
            running.remove(volume.id());
            String result = end.name().toLowerCase(Locale.ROOT);
            meters.counter("larder.csi.warmups", "result", result).increment();
        }
    }

    /** What runs is interrupted; its entries say "Running", and the next process does it again. */
    @Override
    public void close() {
        runs.shutdownNow();
    }
}
