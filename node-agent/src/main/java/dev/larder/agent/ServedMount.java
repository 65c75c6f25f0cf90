package dev.larder.agent;

import dev.larder.agent.fuse.FuseKernel;
import dev.larder.agent.fuse.FuseServer;
import dev.larder.linux.Descriptor;
import dev.larder.linux.fuse.Negotiated;
import dev.larder.protocol.MountDirectory;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.engine.MountedVolume;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mount, served: the volume's engine and the FUSE server in front of it. Every start is a take-over: a predecessor's
 * session is continued, its dirty bytes are committed, its unanswered requests are sent again.
 */
final class ServedMount {
    private static final Logger LOG = LoggerFactory.getLogger(ServedMount.class);
    private static final Duration STOP = Duration.ofSeconds(20);

    private final MountSpec spec;
    private final MountDirectory directory;
    private final Instant since = Instant.now();
    private final BackingIds backing;
    private final FuseKernel kernel;
    private final MountedVolume volume;
    private final FuseServer server;
    private UUID remembered;

    /**
     * @param resources shared with other volumes
     * @param fuse stays the caller's, open until after the end
     * @param negotiated the INIT record
     */
    static ServedMount takeOver(
            MountSpec spec, AgentResources resources, Descriptor fuse, byte[] negotiated, MeterRegistry registry) {
        return new ServedMount(spec, resources, fuse, Negotiated.decode(negotiated), registry);
    }

    private ServedMount(
            MountSpec spec, AgentResources resources, Descriptor fuse, Negotiated negotiated, MeterRegistry registry) {
        this.spec = spec;
        this.directory = new MountDirectory(spec.recordDirectory());
        this.backing = BackingIds.open(directory.backing());
        try {
            this.kernel = new FuseKernel(fuse, negotiated, backing);
            this.volume = MountedVolume.mount(
                    VolumeSettings.of(spec, resources, directory.rememberedSession()), kernel, registry);
        } catch (RuntimeException e) {
            backing.close();
            throw e;
        }
        rememberSession();
        this.server = new FuseServer(fuse, negotiated, kernel, volume.fileSystem(), resources.fuse());
        server.start();
        volume.onRested(server::giveUpIdle);
        LOG.info("serving volume={} mountPoint={} session={}", spec.volume(), spec.mountPoint(), remembered);
    }

    /** A session that was fenced is replaced by a new one; the successor must continue that one. */
    void rememberSession() {
        UUID session = volume.session();
        if (!session.equals(remembered)) {
            directory.rememberSession(session);
            remembered = session;
        }
    }

    MountSpec spec() {
        return spec;
    }

    MountedVolume volume() {
        return volume;
    }

    boolean passthrough() {
        return kernel.passthrough();
    }

    Instant since() {
        return since;
    }

    /** The mount is gone, as opposed to a server that stopped. */
    boolean unmounted() {
        return server.unmounted();
    }

    /** @return true when the mount is gone or the server has stopped */
    boolean awaitEnd(Duration timeout) throws InterruptedException {
        return server.awaitEnd(timeout);
    }

    /** What is read is answered, no more is read, the session is left to a successor. */
    void handOver() throws InterruptedException {
        if (!server.stop(STOP)) {
            LOG.warn("volume={} requests are left to the successor that were not answered in time", spec.volume());
        }
        rememberSession();
        volume.handOver();
        backing.close();
    }

    /** Ends the session; what could not be uploaded stays in the cache for the next mount. */
    void close() {
        try {
            volume.close();
        } finally {
            backing.close();
        }
    }
}
