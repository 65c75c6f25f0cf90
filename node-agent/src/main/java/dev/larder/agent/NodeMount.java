package dev.larder.agent;

import dev.larder.agent.control.ControlException;
import dev.larder.agent.control.ControlServer;
import dev.larder.linux.Descriptor;
import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.custody.CustodyMessage;
import dev.larder.protocol.custody.CustodyMessage.Kind;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import dev.larder.protocol.custody.Holder.Holding;
import dev.larder.volume.HeldElsewhereException;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mount that this agent holds and perhaps serves. What is asked of it is done in order by a thread of its own, so that
 * a volume whose database is away keeps no other waiting.
 */
final class NodeMount implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeMount.class);
    private static final Duration TICK = Duration.ofSeconds(1);

    private final UUID volume;
    private final Descriptor fuse;
    private final byte[] negotiated;
    private final Path directory;
    private final NodeAgentOptions options;
    private final AgentResources resources;
    private final MeterRegistry registry;
    private final ExecutorService order;
    private volatile ServedMount served;
    private volatile boolean ending;
    private ControlServer control;

    /** @param fuse owned from now on */
    NodeMount(
            UUID volume,
            Descriptor fuse,
            byte[] negotiated,
            Path directory,
            NodeAgentOptions options,
            AgentResources resources,
            MeterRegistry registry) {
        this.volume = volume;
        this.fuse = fuse;
        this.negotiated = negotiated.clone();
        this.directory = directory;
        this.options = options;
        this.resources = resources;
        this.registry = registry;
        this.order = Executors.newSingleThreadExecutor(
                Thread.ofVirtual().name("mount-" + volume).factory());
    }

    void run(Runnable task) {
        try {
            order.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("volume={} has ended", volume);
        }
    }

    ServedMount served() {
        return served;
    }

    Holding holding() {
        return new Holding(volume, fuse, negotiated, served != null);
    }

    /** @return SERVING when it is served, else REFUSED with the reason */
    CustodyMessage serve() {
        if (served != null) {
            return CustodyMessage.of(Kind.SERVING, volume);
        }
        try {
            MountSpec spec = spec();
            ServedMount mount = ServedMount.takeOver(spec, resources, fuse, negotiated, registry);
            served = mount;
            control = ControlServer.start(
                    spec.controlSocket(), new MountRequests(mount, NodeMount::refuseShutdown, () -> ending));
            Thread.ofVirtual().name("watch-" + volume).start(() -> watch(mount));
            return CustodyMessage.of(Kind.SERVING, volume);
        } catch (HeldElsewhereException e) {
            LOG.info("volume={} cannot be served: {}", volume, e.reason());
            return CustodyMessage.refused(volume, Refusal.HELD_ELSEWHERE, e.reason());
        } catch (IOException | RuntimeException e) {
            LOG.warn("volume={} cannot be served", volume, e);
            return CustodyMessage.refused(volume, Refusal.OTHER, AgentMain.reason(e));
        }
    }

    private MountSpec spec() throws IOException {
        MountSpec spec = ControlProtocol.json()
                .readValue(directory.resolve(MountSpec.FILE).toFile(), MountSpec.class);
        if (!spec.volumeId().equals(volume)) {
            throw new IOException(directory + " is of volume " + spec.volumeId() + ", not " + volume);
        }
        return spec.with(options.cacheOf(volume, spec.cache()));
    }

    /** Remembers new sessions until the mount or its server ends. */
    private static void watch(ServedMount mount) {
        try {
            while (!mount.awaitEnd(TICK)) {
                mount.rememberSession();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String refuseShutdown() {
        throw new ControlException("csi-node mounts and unmounts here", "kubectl delete the pods that use the volume");
    }

    /** Serves no longer; a successor continues. */
    void release() {
        ServedMount mount = served;
        if (mount == null) {
            return;
        }
        try {
            mount.handOver();
            closeControl();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException | RuntimeException e) {
            LOG.error("volume={} was not handed over well", volume, e);
        } finally {
            served = null;
        }
    }

    /** The mount is gone: ends its session. @return what could not be ended well, or null */
    String end() {
        ending = true;
        String failure = null;
        ServedMount mount = served;
        served = null;
        try {
            if (mount != null) {
                closeControl();
                mount.close();
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("volume={} did not end well", volume, e);
            failure = AgentMain.reason(e);
        }
        fuse.close();
        order.shutdown();
        return failure;
    }

    private void closeControl() throws IOException {
        if (control != null) {
            control.close();
            control = null;
        }
    }

    /** With the process: what it holds is closed, others may hold it too. */
    @Override
    public void close() {
        order.shutdownNow();
        fuse.close();
    }
}
