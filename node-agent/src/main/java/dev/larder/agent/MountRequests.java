package dev.larder.agent;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.agent.api.Answers;
import dev.larder.agent.api.ControlProtocol.Command;
import dev.larder.agent.api.ControlProtocol.Progress;
import dev.larder.agent.api.MountSpec;
import dev.larder.agent.api.MountStatus;
import dev.larder.agent.control.ControlException;
import dev.larder.agent.control.ControlServer;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.NodeCache;
import dev.larder.volume.engine.MountedVolume;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Answers what only a mount can: its status, its cache, its end. The rest is {@link AdminRequests}'. */
final class MountRequests implements ControlServer.Handler {
    private static final int MAX_FAILED = 100;
    private static final long REPORT_BYTES = 4L << 20;

    private final MountSpec spec;
    private final Agent agent;
    private final AdminRequests admin;

    MountRequests(MountSpec spec, Agent agent) {
        this.spec = spec;
        this.agent = agent;
        this.admin = new AdminRequests(spec, agent.volume().admin());
    }

    @Override
    public Object handle(Command command, JsonNode arguments, Consumer<Progress> progress) {
        return switch (command) {
            case STATUS -> status();
            case CACHE -> cache();
            case WARMUP -> warmUp(AdminRequests.texts(arguments, "paths", "/"), progress);
            case FLUSH -> flushed(() -> agent.volume().fileSystem().sync(), progress);
            case SHUTDOWN -> flushed(agent::shutdown, progress);
            default -> admin.handle(command, arguments, progress);
        };
    }

    private MountStatus status() {
        MountedVolume.Status now = agent.volume().status();
        String state = agent.isEnding() ? "stopping" : now.feedAlive() ? "serving" : "recovering";
        return new MountStatus(
                spec.volume(),
                spec.volumeId(),
                spec.mountPoint(),
                state,
                now.feedAlive() ? null : "the database has not answered lately",
                ProcessHandle.current().pid(),
                ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L),
                agent.since(),
                spec.readOnly(),
                spec.cache().directory(),
                now.cache().cleanBytes() + now.cache().dirtyBytes(),
                now.cache().capacityBytes(),
                AdminRequests.metadata(spec),
                AdminRequests.objectStore(spec),
                now.usage().usedBytes(),
                now.usage().usedInodes(),
                now.usage().quotaBytes(),
                now.usage().quotaInodes(),
                now.otherSessions() + 1,
                now.dirtyFiles(),
                now.dirtyBytes() + now.uploadingBytes(),
                agent.kernel().passthrough(),
                spec.agentLog());
    }

    private Answers.Cache cache() {
        NodeCache.Stats stats = agent.volume().status().cache();
        return new Answers.Cache(
                spec.cache().directory(),
                stats.capacityBytes(),
                stats.cleanBytes() + stats.dirtyBytes(),
                stats.dirtyBytes(),
                stats.files(),
                stats.hits(),
                stats.misses(),
                stats.hitBytes(),
                stats.missBytes(),
                stats.evictedBytes(),
                List.of());
    }

    private Answers.Flush flushed(Runnable flush, Consumer<Progress> progress) {
        MountedVolume.Status before = agent.volume().status();
        long total = before.dirtyBytes();
        try {
            Working.run(flush, () -> {
                long left = Math.min(total, agent.volume().status().dirtyBytes());
                progress.accept(new Progress("uploading", total - left, total, "bytes"));
            });
        } catch (ErrnoException e) {
            throw new ControlException(
                    "not everything could be made durable: " + e.getMessage(), "larder status, and " + spec.agentLog());
        }
        return new Answers.Flush(before.dirtyFiles(), before.dirtyBytes());
    }

    private Answers.Warmup warmUp(List<String> paths, Consumer<Progress> progress) {
        long total = 0;
        long files = 0;
        List<String> failed = new ArrayList<>();
        for (String path : paths) {
            Answers.Usage usage = admin.usage(path);
            total += usage.sizeBytes();
            files += usage.files();
        }
        AtomicLong fetched = new AtomicLong();
        AtomicLong reported = new AtomicLong();
        for (String path : paths) {
            try {
                long known = total;
                agent.volume().warm(path, bytes -> {
                    long now = fetched.addAndGet(bytes);
                    if (now - reported.get() >= REPORT_BYTES) {
                        reported.set(now);
                        progress.accept(new Progress("warming up", now, known, "bytes"));
                    }
                });
            } catch (ErrnoException e) {
                if (failed.size() < MAX_FAILED) {
                    failed.add(path + ": " + e.getMessage());
                }
            }
        }
        return new Answers.Warmup(files, fetched.get(), failed);
    }
}
