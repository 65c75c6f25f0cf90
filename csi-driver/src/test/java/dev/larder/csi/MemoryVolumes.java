package dev.larder.csi;

import dev.larder.linux.Descriptor;
import dev.larder.linux.Mounts;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.protocol.MountStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Volumes that are tmpfs, or FUSE mounts that nobody serves. */
final class MemoryVolumes implements NodeVolumes {
    final Map<UUID, VolumeSecret> secrets = new ConcurrentHashMap<>();
    final Map<UUID, Boolean> exclusive = new ConcurrentHashMap<>();
    final Map<UUID, Descriptor> unserved = new ConcurrentHashMap<>();

    volatile NodeVolumeException failure;

    /** Without an agent mounts wait until it is zero; what is mounted already is asked, too. */
    volatile CountDownLatch agent = new CountDownLatch(0);

    final Semaphore waits = new Semaphore(0);
    volatile boolean hanging;
    volatile boolean silent;

    /** The mount ends right after it was asked for. */
    volatile boolean unmountBehind;

    private final NodePaths paths;

    MemoryVolumes(NodePaths paths) {
        this.paths = paths;
    }

    @Override
    public Path mount(UUID volume, VolumeSecret secret, boolean alone, Duration patience) {
        waits.release();
        awaitAgent();
        if (failure != null) {
            throw failure;
        }
        Path place = paths.volumeMount(volume);
        if (!isMounted(volume)) {
            try {
                Files.createDirectories(place);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            String source = Driver.SOURCE_PREFIX + volume;
            if (hanging) {
                unserved.put(volume, FuseMount.mount(place, source, FuseMount.Options.DEFAULT));
            } else {
                long flags = Mounts.MS_NOSUID | Mounts.MS_NODEV;
                Mounts.mount(source, place, "tmpfs", flags, "size=1m,mode=755");
            }
        }
        secrets.put(volume, secret);
        exclusive.put(volume, alone);
        if (unmountBehind) {
            Mounts.unmount(place, Mounts.MNT_DETACH);
        }
        return place;
    }

    private void awaitAgent() {
        try {
            if (!agent.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the test never brought an agent");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** As when agent and csi-node died together: the mount is given up and there is another. */
    void mountAnew(UUID volume) {
        Mounts.unmount(paths.volumeMount(volume), Mounts.MNT_DETACH);
        mount(volume, secrets.get(volume), exclusive.get(volume), Duration.ZERO);
    }

    @Override
    public void refresh(UUID volume, VolumeSecret secret) {
        if (failure != null) {
            throw failure;
        }
        secrets.put(volume, secret);
    }

    @Override
    public void unmount(UUID volume, Duration patience) {
        if (isMounted(volume)) {
            Mounts.unmount(paths.volumeMount(volume), Mounts.MNT_DETACH);
        }
        Descriptor fuse = unserved.remove(volume);
        if (fuse != null) {
            fuse.close();
        }
    }

    @Override
    public boolean isMounted(UUID volume) {
        return Mounts.at(paths.volumeMount(volume)) != null;
    }

    @Override
    public List<Mounted> mounted() {
        return secrets.keySet().stream()
                .filter(this::isMounted)
                .map(volume -> new Mounted(volume, name(volume), controlSocket(volume), !unserved.containsKey(volume)))
                .toList();
    }

    /** Where nobody listens. */
    private Path controlSocket(UUID volume) {
        return paths.volumeMount(volume).resolve("control.sock");
    }

    @Override
    public String name(UUID volume) {
        VolumeSecret secret = secrets.get(volume);
        return secret == null ? null : secret.access().volume();
    }

    @Override
    public int agents() {
        return 1;
    }

    @Override
    public MountStatus status(UUID volume, Duration patience) {
        return silent ? null : status(volume, paths.volumeMount(volume));
    }

    private static MountStatus status(UUID volume, Path place) {
        Instant now = Instant.now();
        return new MountStatus(
                "team/data",
                volume,
                place,
                "serving",
                null,
                1,
                1,
                now,
                false,
                null,
                0,
                0,
                "db",
                "s3",
                100,
                3,
                1000,
                50,
                1,
                0,
                0,
                true,
                null);
    }

    @Override
    public void close() {}
}
