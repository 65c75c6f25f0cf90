package dev.larder.csi.custody;

import dev.larder.csi.CsiNodeOptions;
import dev.larder.csi.Driver;
import dev.larder.csi.NodeEvents;
import dev.larder.csi.NodePaths;
import dev.larder.csi.NodeVolumeException;
import dev.larder.csi.NodeVolumeException.Reason;
import dev.larder.csi.NodeVolumes;
import dev.larder.csi.VolumeSecret;
import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.Mounts;
import dev.larder.linux.Mounts.MountPoint;
import dev.larder.linux.fuse.FuseInit;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.protocol.ControlClient;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.MountStatus;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import dev.larder.protocol.custody.Keeper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes of a node: mounted here once each, their descriptors kept with the agents that serve them. Calls for one
 * volume come one after another.
 */
public final class KeptVolumes implements NodeVolumes {
    private static final Logger LOG = LoggerFactory.getLogger(KeptVolumes.class);
    private static final Duration COLLECT = Duration.ofSeconds(5);
    private static final Duration INIT = Duration.ofSeconds(10);
    /** For an agent to let go what it does not serve. */
    private static final Duration UNSERVED = Duration.ofSeconds(5);

    private static final Duration RELIEVED = Duration.ofMinutes(9);
    private static final int READ_AHEAD_KIBIBYTES = 1024;

    private final NodePaths paths;
    private final VolumeRecords records;
    private final Keeper keeper;
    private final Revival revival;
    /** Held while something is mounted that is not kept yet: for a moment it looks like a dead mount. */
    private final ReentrantLock mounting = new ReentrantLock();

    /** Their mount is gone, their session is being ended. */
    private final Set<UUID> ending = ConcurrentHashMap.newKeySet();

    private volatile boolean closing;

    /** Collects what agents hold; volumes that nobody holds any more are mounted again. */
    public static KeptVolumes collect(CsiNodeOptions options, NodeEvents events) {
        return new KeptVolumes(options, events);
    }

    private KeptVolumes(CsiNodeOptions options, NodeEvents events) {
        this.paths = options.paths();
        this.records = new VolumeRecords(options.runDirectory());
        this.keeper = new Keeper(options.runDirectory().resolve("custody.sock"));
        this.revival = new Revival(this, keeper, records, options.agentAbsentTimeout(), events);
        Set<UUID> mounted = inMountTable();
        keeper.collect(mounted, mounted.isEmpty() ? Duration.ZERO : COLLECT);
        revival.start();
    }

    /** Volumes that are mounted on this node, alive or dead. */
    private Set<UUID> inMountTable() {
        Set<UUID> mounted = new HashSet<>();
        for (MountPoint mount : Mounts.list()) {
            UUID volume = volumeOf(mount);
            if (volume != null && mount.target().equals(paths.volumeMount(volume))) {
                mounted.add(volume);
            }
        }
        return mounted;
    }

    /** Of one of the driver's mounts; null = another one. */
    static UUID volumeOf(MountPoint mount) {
        if (!mount.source().startsWith(Driver.SOURCE_PREFIX)) {
            return null;
        }
        try {
            return UUID.fromString(mount.source().substring(Driver.SOURCE_PREFIX.length()));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    @Override
    public Path mount(UUID volume, VolumeSecret secret, boolean exclusive, Duration patience) {
        Path at = paths.volumeMount(volume);
        if (!keeper.mounts().contains(volume)) {
            if (closing) {
                throw new NodeVolumeException(Reason.CLOSING, "this csi-node ends; the next one mounts " + volume);
            }
            records.write(volume, secret, at, exclusive);
            mountUnlessKept(volume);
        } else {
            records.write(volume, secret, at, exclusive);
        }
        Keeper.Answer answer = keeper.awaitServed(volume, patience);
        return switch (answer.outcome()) {
            case SERVED -> at;
            case REFUSED -> throw refused(volume, answer);
            case NO_AGENT ->
                throw new NodeVolumeException(
                        Reason.NO_AGENT, "no node agent serves this node, for " + patience.toSeconds() + " s");
            case TIMEOUT ->
                throw new NodeVolumeException(
                        Reason.TIMEOUT, "the node agent did not open the volume within " + patience.toSeconds() + " s");
            case UNKNOWN -> throw new NodeVolumeException(Reason.FAILED, "the mount of " + volume + " has just ended");
        };
    }

    /** Runs work while nothing is just being mounted. */
    void between(Runnable work) {
        mounting.lock();
        try {
            work.run();
        } finally {
            mounting.unlock();
        }
    }

    Path mountPoint(UUID volume) {
        return paths.volumeMount(volume);
    }

    /** Forgets mounts that are gone although nobody has asked for it: agents tell of them after a keeper has died. */
    void dropEnded() {
        Set<UUID> ended = new HashSet<>(keeper.mounts());
        ended.removeAll(ending);
        ended.removeAll(inMountTable());
        for (UUID volume : ended) {
            LOG.warn("the mount is gone: its session is ended volume={}", volume);
            keeper.drop(volume, Duration.ZERO);
        }
    }

    /**
     * A volume that another node has must not come to this one later, when nobody here waits for it any more: kubelet does
     * not unstage what could not be staged.
     */
    private NodeVolumeException refused(UUID volume, Keeper.Answer answer) {
        if (answer.refusal() != Refusal.HELD_ELSEWHERE) {
            return new NodeVolumeException(Reason.REFUSED, answer.text());
        }
        if (!isBound(volume)) {
            unmount(volume, UNSERVED);
        }
        return new NodeVolumeException(
                Reason.HELD_ELSEWHERE, "volume " + volume + " is held elsewhere: " + answer.text());
    }

    /** Somebody uses it: it is mounted elsewhere too. */
    private boolean isBound(UUID volume) {
        Path at = paths.volumeMount(volume);
        return Mounts.list().stream()
                .anyMatch(mount ->
                        volume.equals(volumeOf(mount)) && !mount.target().equals(at));
    }

    private void mountUnlessKept(UUID volume) {
        mounting.lock();
        try {
            if (!keeper.mounts().contains(volume)) {
                mountAnew(volume);
            }
        } finally {
            mounting.unlock();
        }
    }

    /** In place of one that is dead. The kernel lets nobody in before INIT has been answered. */
    void mountAnew(UUID volume) {
        Path at = paths.volumeMount(volume);
        try {
            MountPoint found = Mounts.at(at);
            if (found == null) {
                Files.createDirectories(at);
            } else {
                LOG.warn("a dead mount is taken away volume={} id={}", volume, found.id());
                Mounts.unmount(at, Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
                records.forgetMount(volume);
            }
            Descriptor fuse = FuseMount.mount(at, Driver.SOURCE_PREFIX + volume, FuseMount.Options.DEFAULT);
            try {
                byte[] negotiated = FuseInit.negotiate(fuse, INIT).encode();
                FuseMount.setReadAhead(at, READ_AHEAD_KIBIBYTES);
                keeper.keep(volume, fuse, negotiated);
            } catch (IOException | RuntimeException e) {
                fuse.close();
                Mounts.unmount(at, Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot mount at " + at + ": " + e.getMessage(), e);
        }
        LOG.info("mounted volume={} at={}", volume, at);
    }

    @Override
    public void refresh(UUID volume, VolumeSecret secret) {
        if (keeper.mounts().contains(volume)) {
            records.write(volume, secret, paths.volumeMount(volume), records.isExclusive(volume));
        }
    }

    @Override
    public void unmount(UUID volume, Duration patience) {
        ending.add(volume);
        try {
            end(volume, patience);
        } finally {
            ending.remove(volume);
        }
    }

    private void end(UUID volume, Duration patience) {
        Path at = paths.volumeMount(volume);
        if (Mounts.at(at) != null) {
            try {
                Mounts.unmount(at, Mounts.UMOUNT_NOFOLLOW);
            } catch (LinuxException e) {
                if (!e.is(LinuxErrno.EBUSY)) {
                    throw e;
                }
                LOG.warn("detached: still in use volume={}", volume);
                Mounts.unmount(at, Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
            }
        }
        String failure = keeper.drop(volume, patience);
        if (failure != null) {
            LOG.warn("volume={} what was written is in this node's journal: {}", volume, failure);
        }
        records.delete(volume);
        try {
            Files.deleteIfExists(at);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the directory " + at + ": " + e.getMessage(), e);
        }
        LOG.info("unmounted volume={}", volume);
    }

    @Override
    public boolean isMounted(UUID volume) {
        return keeper.mounts().contains(volume);
    }

    @Override
    public List<Mounted> mounted() {
        Set<UUID> served = keeper.served();
        List<Mounted> mounted = new ArrayList<>();
        for (UUID volume : keeper.mounts()) {
            String name = records.name(volume);
            if (name != null) {
                mounted.add(new Mounted(volume, name, controlSocket(volume), served.contains(volume)));
            }
        }
        return mounted;
    }

    private Path controlSocket(UUID volume) {
        return records.directory(volume).resolve(MountSpec.CONTROL_SOCKET);
    }

    @Override
    public String name(UUID volume) {
        return records.name(volume);
    }

    @Override
    public int agents() {
        return keeper.health().staying();
    }

    @Override
    public MountStatus status(UUID volume, Duration patience) {
        Path socket = controlSocket(volume);
        try (ControlClient agent = ControlClient.connect(socket)) {
            return agent.ask(Command.STATUS, Map.of(), MountStatus.class, patience, progress -> {});
        } catch (IOException | ControlClient.AgentFailure e) {
            LOG.debug("no status volume={} cause={}", volume, e.getMessage());
            return null;
        }
    }

    @Override
    public void close() {
        closing = true;
        if (!keeper.awaitRelieved(RELIEVED)) {
            LOG.error("no agent has everything: mounts that only this process keeps end with it {}", keeper.health());
        }
        revival.close();
        keeper.close();
    }
}
