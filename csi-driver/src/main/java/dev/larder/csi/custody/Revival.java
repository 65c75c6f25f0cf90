package dev.larder.csi.custody;

import dev.larder.csi.NodeEvents;
import dev.larder.csi.VolumeEvent;
import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.MountNamespace;
import dev.larder.linux.Mounts;
import dev.larder.linux.Mounts.MountPoint;
import dev.larder.protocol.custody.Keeper;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
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
    private static final Duration NAMESPACE = Duration.ofSeconds(10);
    private static final int MOST_SCANS = 30;
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final KeptVolumes volumes;
    private final Keeper keeper;
    private final VolumeRecords records;
    private final Duration absentTimeout;
    private final NodeEvents events;
    private final Thread thread;
    /** Looks for stale binds that are still to be made, if the next one leaves some. */
    private int scans = MOST_SCANS;

    private volatile boolean closed;

    Revival(KeptVolumes volumes, Keeper keeper, VolumeRecords records, Duration absentTimeout, NodeEvents events) {
        this.volumes = volumes;
        this.keeper = keeper;
        this.records = records;
        this.absentTimeout = absentTimeout;
        this.events = events;
        this.thread = Thread.ofPlatform().daemon().name("revival").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!closed) {
                takeTurn();
                Thread.sleep(TICK);
            }
        } catch (InterruptedException e) {
            LOG.debug("revival ends");
        }
    }

    private void takeTurn() {
        try {
            abortAbandoned();
            volumes.between(this::revive);
        } catch (RuntimeException e) {
            LOG.error("revival goes on after a failure", e);
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
                String what = "no node agent has served it on this node for " + since.toSeconds()
                        + " s: its files give errors here until one is there";
                events.tell(VolumeEvent.MOUNT_ABORTED, volume, records.name(volume), null, what);
            }
        });
    }

    /** MNT_FORCE ends the connection with the kernel, also when the mount itself is still in use. */
    private void abort(UUID volume) {
        try {
            Mounts.unmount(volumes.mountPoint(volume), Mounts.MNT_FORCE | Mounts.UMOUNT_NOFOLLOW);
        } catch (LinuxException e) {
            LOG.debug("volume={} {}", volume, e.getMessage());
        }
    }

    private void revive() {
        volumes.dropEnded();
        if (keeper.health().staying() > 0) {
            reviveDead();
            rebindStale();
        }
    }

    private void reviveDead() {
        for (UUID volume : dead()) {
            if (records.isComplete(volume)) {
                LOG.warn("a dead volume is mounted again volume={}", volume);
                volumes.mountAnew(volume);
                scans = MOST_SCANS;
                String what = "it is mounted again on this node; files that were open before give errors until they are"
                        + " opened anew";
                events.tell(VolumeEvent.MOUNT_REVIVED, volume, records.name(volume), null, what);
            }
        }
    }

    /** Volumes with mounts on this node that nobody keeps. */
    private Set<UUID> dead() {
        Set<UUID> kept = keeper.mounts();
        Set<UUID> dead = new LinkedHashSet<>();
        for (MountPoint mount : Mounts.list()) {
            UUID volume = KeptVolumes.volumeOf(mount);
            if (volume != null && !kept.contains(volume)) {
                dead.add(volume);
            }
        }
        return dead;
    }

    /**
     * Binds of earlier mounts of volumes, on the node and in containers: these have copies of their own, which follow
     * the node only where the pod asks for it. Looked for when a volume has been mounted again, and once at the start: the
     * predecessor of this process may have died before it was done.
     */
    private void rebindStale() {
        if (scans == 0) {
            return;
        }
        Set<UUID> served = keeper.served();
        boolean done = rebindStale(served, Mounts.list(), Runnable::run);
        for (MountNamespace namespace : MountNamespace.others()) {
            done &= rebindStale(served, namespace.mounts(), work -> namespace.run(NAMESPACE, work));
        }
        scans = done && served.containsAll(keeper.mounts()) ? 0 : scans - 1;
    }

    private boolean rebindStale(Set<UUID> served, List<MountPoint> mounts, Consumer<Runnable> inNamespace) {
        boolean done = true;
        for (MountPoint mount : mounts) {
            UUID volume = KeptVolumes.volumeOf(mount);
            MountPoint current =
                    volume == null || !served.contains(volume) ? null : Mounts.at(volumes.mountPoint(volume));
            if (current != null && !mount.sameDevice(current)) {
                done &= replace(volume, mount, inNamespace);
            }
        }
        return done;
    }

    /** The new mount is opened here, where its directory can be named, and attached there, in place of the old one. */
    private boolean replace(UUID volume, MountPoint old, Consumer<Runnable> inNamespace) {
        Path from = volumes.mountPoint(volume).resolve(Path.of("/").relativize(old.root()));
        try (Descriptor tree = Mounts.cloneTree(from)) {
            if (old.readOnly()) {
                Mounts.setReadOnly(tree);
            }
            inNamespace.accept(() -> {
                Mounts.unmount(old.target(), Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
                Mounts.attach(tree, old.target());
            });
            LOG.info("bound again volume={} at={} root={}", volume, old.target(), old.root());
            return true;
        } catch (RuntimeException e) {
            LOG.warn("volume={} could not be bound again at={} cause={}", volume, old.target(), e.getMessage());
            return false;
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
