package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.larder.csi.NodeVolumes.Mounted;
import dev.larder.csi.cluster.ApiClient.Patch;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlClient;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Progress;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One CacheWarmup on this node, from its first entry in the status to its last. Doing it again costs little: what is cached
 * is not fetched again. So a run that is cut short anywhere leaves "Running", and the next one does all of it. One thread,
 * whose interruption ends it.
 */
final class WarmupRun {
    private static final Logger LOG = LoggerFactory.getLogger(WarmupRun.class);

    /** Of the agent, which tells of its progress; it may count long before. */
    private static final Duration SILENCE = Duration.ofMinutes(5);

    private static final Duration BETWEEN_PATCHES = Duration.ofSeconds(1);
    private static final int MAX_MESSAGE = 1000;
    private static final String BYTES = "bytes";

    /** How it ended. */
    enum End {
        DONE,
        FAILED,
        /** The object is gone, or finished already. */
        VOID,
        /** The agent went away, or the cluster could not be told. */
        CUT_SHORT
    }

    private final ApiClient api;
    private final String node;
    private final Warmup warmup;
    private final Mounted volume;
    private final LongSupplier nanoClock;

    private Progress last = new Progress("", 0, 0, BYTES);
    private long patchedAt;

    WarmupRun(ApiClient api, String node, Warmup warmup, Mounted volume, LongSupplier nanoClock) {
        this.api = api;
        this.node = node;
        this.warmup = warmup;
        this.volume = volume;
        this.nanoClock = nanoClock;
    }

    /** @param lastAttempt an agent that goes away is a failure then */
    End run(boolean lastAttempt) throws InterruptedException {
        try {
            JsonNode object = api.get(warmup.path());
            boolean another = !object.path("metadata").path("uid").asText().equals(warmup.uid());
            if (another || Warmup.isFinished(object, node)) {
                return End.VOID;
            }
            tellBeginning();
            LOG.info("warmup={} begins volume={}", warmup, volume.id());
            return warm(paths(object), lastAttempt);
        } catch (ApiException e) {
            if (e.isNotFound() || e.isUnprocessable()) {
                return End.VOID;
            }
            LOG.warn("warmup={} is tried again: {}", warmup, e.getMessage());
            return End.CUT_SHORT;
        }
    }

    private static List<String> paths(JsonNode object) {
        List<String> paths = new ArrayList<>();
        object.path("spec").path("paths").forEach(path -> paths.add(path.asText()));
        return paths.isEmpty() ? List.of("/") : paths;
    }

    private End warm(List<String> paths, boolean lastAttempt) throws ApiException, InterruptedException {
        try (ControlClient agent = ControlClient.connect(volume.controlSocket())) {
            Answers.Warmup result =
                    agent.ask(Command.WARMUP, Map.of("paths", paths), Answers.Warmup.class, SILENCE, this::progress);
            return result.failed().isEmpty() ? done(result) : failed(failures(result), result.bytes());
        } catch (ControlClient.AgentFailure e) {
            String next = e.hint() == null ? "kubectl describe sharedvolumes -A" : e.hint();
            return failed(e.getMessage() + "; next: " + next, last.done());
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            LOG.warn("warmup={} was cut short volume={} cause={}", warmup, volume.id(), e.getMessage());
            if (!lastAttempt) {
                return End.CUT_SHORT;
            }
            String next = "; next: kubectl get pods -A -l app.kubernetes.io/component=node-agent --field-selector"
                    + " spec.nodeName=" + node;
            return failed("the agent goes away before it is done: " + e.getMessage() + next, last.done());
        }
    }

    private End done(Answers.Warmup result) throws ApiException, InterruptedException {
        tellEnd(entry(Warmup.DONE, result.bytes(), Math.max(result.bytes(), last.total()), null));
        LOG.info("warmup={} done volume={} files={} bytes={}", warmup, volume.id(), result.files(), result.bytes());
        return End.DONE;
    }

    private End failed(String message, long doneBytes) throws ApiException, InterruptedException {
        tellEnd(entry(Warmup.FAILED, doneBytes, Math.max(doneBytes, last.total()), message));
        LOG.warn("warmup={} failed volume={} cause={}", warmup, volume.id(), message);
        return End.FAILED;
    }

    private String failures(Answers.Warmup result) {
        return result.failed().size() + " could not be read: "
                + String.join(
                        ", ",
                        result.failed().subList(0, Math.min(3, result.failed().size())))
                + "; next: kubectl describe sharedvolume -n " + volume.name().replace("/", " ");
    }

    /** What cannot be told now is told with the next; the agent does not wait for a cluster that is away. */
    private void progress(Progress progress) {
        if (!BYTES.equals(progress.unit())) {
            return;
        }
        last = progress;
        long now = nanoClock.getAsLong();
        if (now - patchedAt < BETWEEN_PATCHES.toNanos()) {
            return;
        }
        patchedAt = now;
        try {
            ArrayNode patch = change(entry(Warmup.RUNNING, progress.done(), progress.total(), null));
            api.patchOnce(warmup.path() + "/status", Patch.JSON, patch);
        } catch (ApiException e) {
            LOG.debug("warmup={} progress is not told: {}", warmup, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Makes the entry, and what it stands in. */
    private void tellBeginning() throws ApiException, InterruptedException {
        ObjectNode patch = ApiClient.json().createObjectNode();
        patch.putObject("status").putObject("nodes").set(node, entry(Warmup.RUNNING, 0, 0, null));
        api.patch(warmup.path() + "/status", Patch.MERGE, patch);
        patchedAt = nanoClock.getAsLong();
    }

    private void tellEnd(ObjectNode entry) throws ApiException, InterruptedException {
        api.patch(warmup.path() + "/status", Patch.JSON, change(entry));
    }

    /** Of the object with this uid: one of the same name that was made meanwhile has a warm-up of its own before it. */
    private ArrayNode change(ObjectNode entry) {
        ArrayNode patch = ApiClient.json().createArrayNode();
        patch.addObject().put("op", "test").put("path", "/metadata/uid").put("value", warmup.uid());
        patch.addObject().put("op", "add").put("path", "/status/nodes/" + node).set("value", entry);
        return patch;
    }

    private static ObjectNode entry(String phase, long done, long total, String message) {
        ObjectNode entry = ApiClient.json().createObjectNode();
        entry.put("phase", phase).put("doneBytes", done);
        if (total > 0) {
            entry.put("totalBytes", total);
        }
        if (message != null) {
            entry.put("message", message.substring(0, Math.min(message.length(), MAX_MESSAGE)));
        }
        return entry;
    }
}
