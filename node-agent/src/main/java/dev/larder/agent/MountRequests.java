package dev.larder.agent;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.agent.control.ControlException;
import dev.larder.agent.control.ControlServer;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Progress;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.MountStatus;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.NodeCache;
import dev.larder.volume.engine.MountedVolume;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Answers what only a mount can: its status, its cache, its end. The rest is {@link AdminRequests}'. */
final class MountRequests implements ControlServer.Handler {
    private static final int MAX_FAILED = 100;
    private static final int LARGEST = 20;
    private static final int MAX_LARGEST = 10_000;
    private static final long REPORT_BYTES = 4L << 20;
    private static final int REPORT_FILES = 200;

    private final MountSpec spec;
    private final ServedMount mount;
    private final Supplier<String> shutdown;
    private final BooleanSupplier ending;
    private final AdminRequests admin;

    /**
     * @param shutdown unmounts; answers what may be lost, or null
     * @param ending it is being unmounted
     */
    MountRequests(ServedMount mount, Supplier<String> shutdown, BooleanSupplier ending) {
        this.spec = mount.spec();
        this.mount = mount;
        this.shutdown = shutdown;
        this.ending = ending;
        this.admin = new AdminRequests(spec, mount.volume().admin());
    }

    @Override
    public Object handle(Command command, JsonNode arguments, Consumer<Progress> progress) {
        return switch (command) {
            case STATUS -> status();
            case CACHE -> cache(arguments.path("limit").asInt(LARGEST));
            case WARMUP -> warmUp(AdminRequests.texts(arguments, "paths", "/"), progress);
            case FLUSH ->
                flushed(
                        () -> {
                            mount.volume().fileSystem().sync();
                            return null;
                        },
                        progress);
            case SHUTDOWN -> flushed(shutdown, progress);
            default -> admin.handle(command, arguments, progress);
        };
    }

    private MountStatus status() {
        MountedVolume.Status now = mount.volume().status();
        String state = ending.getAsBoolean() ? "stopping" : now.answering() ? "serving" : "recovering";
        return new MountStatus(
                spec.volume(),
                spec.volumeId(),
                spec.mountPoint(),
                state,
                now.answering()
                        ? null
                        : "the database has not answered for "
                                + now.databaseSilence().toSeconds() + " s",
                ProcessHandle.current().pid(),
                ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L),
                mount.since(),
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
                mount.passthrough(),
                spec.agentLog());
    }

    private Answers.Cache cache(int limit) {
        NodeCache.Stats stats = mount.volume().status().cache();
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
                largest(Math.clamp(limit, 0, MAX_LARGEST)));
    }

    private List<Answers.CachedFile> largest(int limit) {
        return mount.volume().largestCached(limit).stream()
                .map(one -> new Answers.CachedFile(
                        one.path() == null ? "#" + one.inode() : one.path(),
                        one.inode(),
                        one.cachedBytes(),
                        one.sizeBytes()))
                .toList();
    }

    private Answers.Flush flushed(Supplier<String> flush, Consumer<Progress> progress) {
        MountedVolume.Status before = mount.volume().status();
        long total = before.dirtyBytes();
        AtomicReference<String> lost = new AtomicReference<>();
        try {
            Working.run(() -> lost.set(flush.get()), () -> {
                long left = Math.min(total, mount.volume().status().dirtyBytes());
                progress.accept(new Progress("uploading", total - left, total, "bytes"));
            });
        } catch (ErrnoException e) {
            throw new ControlException(
                    "not everything could be made durable: " + e.getMessage(), "larder status, and " + spec.agentLog());
        }
        return new Answers.Flush(before.dirtyFiles(), before.dirtyBytes(), lost.get());
    }

    /** Of files with several names below the paths, the total counts each once. */
    private Answers.Warmup warmUp(List<String> paths, Consumer<Progress> progress) {
        progress.accept(new Progress("counting", 0, 0, ""));
        List<String> failed = new ArrayList<>();
        List<String> found = new ArrayList<>();
        long total = 0;
        for (String path : outermost(paths)) {
            try {
                total += admin.usage(path).sizeBytes();
                found.add(path);
            } catch (ErrnoException e) {
                failed.add(path + ": " + e.getMessage());
            }
        }
        WarmProgress warmed = new WarmProgress(total, failed, progress);
        mount.volume().warm(found, warmed);
        return new Answers.Warmup(warmed.files, warmed.bytes, failed);
    }

    /** What is below another of the paths is left out. */
    private static List<String> outermost(List<String> paths) {
        List<Path> all = paths.stream()
                .map(path -> Path.of("/").resolve(path).normalize())
                .distinct()
                .toList();
        return all.stream()
                .filter(path -> all.stream().noneMatch(other -> !other.equals(path) && path.startsWith(other)))
                .map(Path::toString)
                .toList();
    }

    private static final class WarmProgress implements MountedVolume.WarmListener {
        private final long total;
        private final List<String> failed;
        private final Consumer<Progress> progress;
        private long files;
        private long bytes;
        private long reported;

        WarmProgress(long total, List<String> failed, Consumer<Progress> progress) {
            this.total = total;
            this.failed = failed;
            this.progress = progress;
            report();
        }

        private void report() {
            progress.accept(new Progress("warming up", bytes, total, "bytes"));
        }

        @Override
        public void fetched(long fetchedBytes) {
            bytes += fetchedBytes;
            if (bytes - reported >= REPORT_BYTES || bytes >= total) {
                reported = bytes;
                report();
            }
        }

        @Override
        public void done() {
            files++;
            if (files % REPORT_FILES == 0) {
                report();
            }
        }

        @Override
        public void failed(String path, ErrnoException reason) {
            if (failed.size() < MAX_FAILED) {
                failed.add(path + ": " + reason.getMessage());
            }
        }
    }
}
