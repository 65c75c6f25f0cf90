package dev.larder.csi.custody;

import dev.larder.csi.Driver;
import dev.larder.csi.NodePaths;
import dev.larder.linux.LinuxException;
import dev.larder.linux.Mounts;
import dev.larder.linux.Mounts.MountPoint;
import dev.larder.protocol.custody.Keeper;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to mounts that nobody serves. One whose agent is away for long is aborted, so that its users get errors
 * instead of waiting for ever. One that is dead is mounted again as soon as an agent is there, and every bind of it is
 * replaced: pods go on without a restart, only what they had open stays broken.
 */
final class Revival implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Revival.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final NodePaths paths;
    private final VolumeRecords records;
    private final Keeper keeper;
    private final ReentrantLock mounting;
    private final Consumer<UUID> mountAnew;
    private final Duration absentTimeout;
    private final Thread thread;
    private volatile boolean closed;

    /** @param mounting held by whoever mounts, until the mount is kept */
    Revival(
            NodePaths paths,
            VolumeRecords records,
            Keeper keeper,
            ReentrantLock mounting,
            Consumer<UUID> mountAnew,
            Duration absentTimeout) {
        this.mounting = mounting;
        this.paths = paths;
        this.records = records;
        this.keeper = keeper;
        this.mountAnew = mountAnew;
        this.absentTimeout = absentTimeout;
        this.thread = Thread.ofPlatform().daemon().name("revival").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        while (!closed) {
            try {
                abortAbandoned();
                reviveAll();
                Thread.sleep(TICK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                LOG.error("revival goes on after a failure", e);
                pauseAfterFailure();
            }
        }
    }

    private void pauseAfterFailure() {
        try {
            Thread.sleep(TICK);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            closed = true;
        }
    }

    private void abortAbandoned() {
        keeper.health().unserved().forEach((volume, since) -> {
            if (since.compareTo(absentTimeout) > 0 && keeper.health().staying() == 0) {
                LOG.error(
                        "aborted: no agent has served it volume={} for={}s; it is mounted again when one is there",
                        volume,
                        since.toSeconds());
                abort(volume);
                keeper.drop(volume, Duration.ZERO);
            }
        });
    }

    /** MNT_FORCE ends the connection with the kernel, also when the mount itself is still in use. */
    private void abort(UUID volume) {
        try {
            Mounts.unmount(paths.volumeMount(volume), Mounts.MNT_FORCE | Mounts.UMOUNT_NOFOLLOW);
        } catch (LinuxException e) {
            LOG.debug("volume={} {}", volume, e.getMessage());
        }
    }

    private void reviveAll() {
        if (keeper.health().staying() == 0) {
            return;
        }
        mounting.lock();
        try {
            reviveDead();
            rebindStale();
        } finally {
            mounting.unlock();
        }
    }

    private void reviveDead() {
        for (Map.Entry<UUID, Set<Path>> dead : dead().entrySet()) {
            UUID volume = dead.getKey();
            if (records.isComplete(volume)) {
                LOG.warn("a dead volume is mounted again volume={} binds={}", volume, dead.getValue());
                mountAnew.accept(volume);
                dead.getValue().forEach(bind -> rebind(volume, bind));
            }
        }
    }

    /** Volumes with mounts on this node that nobody keeps, with their binds. */
    private Map<UUID, Set<Path>> dead() {
        Set<UUID> kept = keeper.mounts();
        Map<UUID, Set<Path>> dead = new LinkedHashMap<>();
        for (MountPoint mount : Mounts.list()) {
            UUID volume = KeptVolumes.volumeOf(mount);
            if (volume != null && !kept.contains(volume)) {
                Set<Path> binds = dead.computeIfAbsent(volume, any -> new HashSet<>());
                if (!mount.target().equals(paths.volumeMount(volume))) {
                    binds.add(mount.target());
                }
            }
        }
        return dead;
    }

    /** Binds of an earlier mount of a volume that is kept: the process that replaced them died before it was done. */
    private void rebindStale() {
        List<MountPoint> mounts = Mounts.list();
        for (MountPoint mount : mounts) {
            UUID volume = KeptVolumes.volumeOf(mount);
            MountPoint current = volume == null ? null : Mounts.at(paths.volumeMount(volume));
            if (current != null && keeper.mounts().contains(volume) && !mount.sameDevice(current)) {
                rebind(volume, mount.target());
            }
        }
    }

    /** Read-only binds stay so. A crash between the two is repaired by {@link #rebindStale} or by kubelet. */
    private void rebind(UUID volume, Path at) {
        try {
            MountPoint old = Mounts.at(at);
            boolean readOnly = old != null && List.of(old.options().split(",")).contains("ro");
            while (old != null && old.source().equals(Driver.SOURCE_PREFIX + volume)) {
                Mounts.unmount(at, Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
                old = Mounts.at(at);
            }
            Mounts.bind(paths.volumeMount(volume), at, readOnly);
            LOG.info("bound again volume={} at={}", volume, at);
        } catch (LinuxException e) {
            LOG.error("volume={} could not be bound again at={} cause={}", volume, at, e.getMessage());
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(CLOSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
