package dev.larder.agent;

import dev.larder.agent.control.ControlException;
import dev.larder.agent.control.ControlServer;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.protocol.MountDirectory;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.LostChangesException;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one mount of this machine's agent, with its control socket. It unmounts by itself when it is asked to end. */
final class Agent implements ServedVolume {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration UNMOUNTED = Duration.ofSeconds(20);

    private final MountSpec spec;
    private final Custody held;
    private final ServedMount mount;
    private final ControlServer control;
    private final AtomicBoolean ending = new AtomicBoolean();
    private final AtomicReference<String> lost = new AtomicReference<>();

    /** Takes the mount over and serves it. */
    static Agent start(MountSpec spec) throws IOException {
        return new Agent(spec);
    }

    private Agent(MountSpec spec) throws IOException {
        this.spec = spec;
        this.held = Custody.collect(new MountDirectory(spec.recordDirectory()).custody(), spec.volumeId());
        this.mount = ServedMount.takeOver(
                spec,
                AgentResources.ofOneVolume(),
                held.fuse(),
                held.negotiated(),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        this.control = ControlServer.start(spec.controlSocket(), new MountRequests(mount, this::shutdown, ending::get));
        held.serving();
    }

    /** @return true when the mount has ended; false when the server stopped for another reason */
    @Override
    public boolean awaitEnd() {
        try {
            while (!mount.awaitEnd(TICK)) {
                mount.rememberSession();
            }
            return mount.unmounted();
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
            if (!mount.awaitEnd(UNMOUNTED)) {
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
            mount.volume().fileSystem().sync();
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
            mount.volume().fileSystem().sync();
        } catch (RuntimeException e) {
            LOG.error("not everything could be made durable, it stays in the cache: {}", e.getMessage());
        }
        try {
            FuseMount.unmount(spec.mountPoint(), true);
            mount.awaitEnd(UNMOUNTED);
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
            mount.close();
        } finally {
            held.close();
            control.close();
        }
    }
}
