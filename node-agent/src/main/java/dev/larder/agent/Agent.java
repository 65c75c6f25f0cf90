package dev.larder.agent;

import dev.larder.agent.control.ControlException;
import dev.larder.agent.control.ControlServer;
import dev.larder.agent.fuse.FuseKernel;
import dev.larder.agent.fuse.FuseServer;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.linux.fuse.Negotiated;
import dev.larder.protocol.MountDirectory;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.LostChangesException;
import dev.larder.volume.engine.MountedVolume;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One mount, served: the FUSE server, the mounted volume behind it, and the control socket. */
final class Agent implements ServedVolume {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration UNMOUNTED = Duration.ofSeconds(20);

    private final MountSpec spec;
    private final MountDirectory directory;
    private final Instant since = Instant.now();
    private final Custody.Held held;
    private final BackingIds backing;
    private final FuseKernel kernel;
    private final MountedVolume volume;
    private final FuseServer server;
    private final ControlServer control;
    private final AtomicBoolean ending = new AtomicBoolean();
    private final AtomicReference<String> lost = new AtomicReference<>();
    private UUID remembered;

    /** Takes the mount over and serves it. */
    static Agent start(MountSpec spec) throws IOException {
        return new Agent(spec);
    }

    private Agent(MountSpec spec) throws IOException {
        this.spec = spec;
        this.directory = new MountDirectory(spec.recordDirectory());
        this.held = Custody.collect(directory.custody());
        Negotiated negotiated = Negotiated.decode(held.negotiated());
        this.backing = BackingIds.open(directory.backing());
        this.kernel = new FuseKernel(held.fuse(), negotiated, backing);
        this.volume = MountedVolume.mount(
                VolumeSettings.of(spec, directory.rememberedSession()),
                kernel,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        rememberSession();
        this.server = new FuseServer(held.fuse(), negotiated, kernel, volume.fileSystem(), FuseServer.Options.DEFAULT);
        server.start();
        this.control = ControlServer.start(spec.controlSocket(), new MountRequests(spec, this));
        held.serving();
        LOG.info("serving volume={} mountPoint={} session={}", spec.volume(), spec.mountPoint(), remembered);
    }

    /** A session that was fenced is replaced by a new one; the successor must continue that one. */
    private void rememberSession() {
        UUID session = volume.session();
        if (!session.equals(remembered)) {
            directory.rememberSession(session);
            remembered = session;
        }
    }

    MountedVolume volume() {
        return volume;
    }

    FuseKernel kernel() {
        return kernel;
    }

    Instant since() {
        return since;
    }

    boolean isEnding() {
        return ending.get();
    }

    /** @return true when the mount has ended; false when the server stopped for another reason */
    @Override
    public boolean awaitEnd() {
        try {
            while (!server.awaitEnd(TICK)) {
                rememberSession();
            }
            return server.unmounted();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Uploads everything, then unmounts; the server's threads end by that. Changes that a crash of the database took
     * cannot be brought back by staying mounted: they are told.
     *
     * @return what may be lost, or null
     * @throws ControlException when the mount is in use; it is served on, and what may be lost is told by the next try
     */
    String shutdown() {
        syncOrLose();
        ending.set(true);
        try {
            FuseMount.unmount(spec.mountPoint(), false);
        } catch (LinuxException e) {
            ending.set(false);
            if (e.errno() == LinuxErrno.EBUSY) {
                List<String> users = MountUsers.of(spec.mountPoint());
                throw new ControlException(
                        spec.mountPoint() + " is in use" + (users.isEmpty() ? "" : ": by " + String.join(", ", users)),
                        "fuser -vm " + spec.mountPoint() + ", end those, and again; or larder umount --force");
            }
            throw new ControlException("unmounting " + spec.mountPoint() + " failed: " + e.getMessage(), null);
        }
        try {
            if (!server.awaitEnd(UNMOUNTED)) {
                throw new ControlException(
                        spec.mountPoint() + " is unmounted, but something still holds it", "see " + spec.agentLog());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ControlException("interrupted", null);
        }
        return lost.get();
    }

    private void syncOrLose() {
        try {
            volume.fileSystem().sync();
        } catch (LostChangesException e) {
            LOG.warn("unmounting all the same: {}", e.getMessage());
            lost.set(e.getMessage());
        }
    }

    /** SIGTERM: as {@link #shutdown}, but whoever still uses the mount does not keep it. */
    @Override
    public void terminate() {
        if (!ending.compareAndSet(false, true)) {
            return;
        }
        try {
            volume.fileSystem().sync();
        } catch (RuntimeException e) {
            LOG.error("not everything could be made durable, it stays in the cache: {}", e.getMessage());
        }
        try {
            FuseMount.unmount(spec.mountPoint(), true);
            server.awaitEnd(UNMOUNTED);
        } catch (RuntimeException e) {
            LOG.error("terminating: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the session; what could not be uploaded stays in the cache for the next mount. */
    @Override
    public void close() throws IOException {
        try {
            volume.close();
        } finally {
            backing.close();
            held.close();
            control.close();
        }
    }
}
