package dev.larder.csi;

import dev.larder.csi.cluster.NodeReports;
import dev.larder.protocol.HealthServer;
import io.grpc.ServerInterceptor;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process csi-node. It starts in this order: health, custody of what is mounted already, CSI's services, kubelet
 * hears of it, and last the cluster; it ends by giving custody away, serving kubelet until then.
 */
public final class CsiNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CsiNode.class);

    /** Kubelet's own deadline is two minutes. */
    private static final Duration MOUNT_PATIENCE = Duration.ofSeconds(110);

    private static final Duration SYSTEM_CALL_PATIENCE = Duration.ofSeconds(20);
    private static final Duration STATUS_PATIENCE = Duration.ofSeconds(3);
    private static final Duration LOCK_PATIENCE = Duration.ofSeconds(5);
    private static final Duration HEALTH_PATIENCE = Duration.ofSeconds(2);

    /** System calls that hang at once before others are refused. */
    private static final int HANGING_CALLS = 64;

    private final CsiNodeOptions options;
    private final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ExecutorService executor = CallExecutor.create();
    private final Deadlines deadlines = new Deadlines(HANGING_CALLS);
    private final PublishedPods pods = new PublishedPods();
    private final RegistrationService registration;
    private NodeReports reports;
    private HealthServer health;
    private volatile NodeVolumes volumes;
    private UnixServer server;
    private UnixServer registrationServer;

    private CsiNode(CsiNodeOptions options) {
        this.options = options;
        this.registration = new RegistrationService(options.paths().csiSocket());
    }

    /**
     * @param collect returns when the descriptors of everything that is mounted on this node are in this process's
     *     hands, so that kubelet is never served by one that does not know them
     */
    public static CsiNode start(CsiNodeOptions options, BiFunction<CsiNodeOptions, NodeEvents, NodeVolumes> collect)
            throws IOException {
        LOG.info("csi-node {} {}", Driver.version(), options);
        CsiNode node = new CsiNode(options);
        try {
            node.makeDirectories();
            node.serveHealth();
            NodeEvents events = node.findCluster();
            node.volumes = collect.apply(options, events);
            node.serveCalls(events);
            node.register();
            node.reportToCluster();
            return node;
        } catch (IOException | RuntimeException e) {
            node.close();
            throw e;
        }
    }

    private void makeDirectories() throws IOException {
        NodePaths paths = options.paths();
        for (Path directory : List.of(paths.plugin(), paths.volumeMounts(), options.runDirectory())) {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        }
        Files.createDirectories(paths.registrationSocket().getParent());
    }

    private void serveHealth() throws IOException {
        Gauge.builder("larder.csi.node.registered", registration, service -> service.isRegistered() ? 1 : 0)
                .description("1 when kubelet knows the driver")
                .register(meters);
        health = HealthServer.start(options.healthPort(), this::problem, this::obstacle, meters::scrape);
    }

    private String problem() {
        if (!CallExecutor.isResponsive(executor, HEALTH_PATIENCE)) {
            return "no thread is free for calls";
        }
        return null;
    }

    private String obstacle() {
        if (volumes == null) {
            return "custody of the node's mounts is not collected";
        }
        return registration.isRegistered() ? null : "kubelet has not registered the driver";
    }

    private NodeEvents findCluster() throws IOException {
        if (options.api() == null) {
            LOG.warn("no API server is told of this node: neither --api-server nor the environment names one");
            return NodeEvents.NONE;
        }
        reports = new NodeReports(options.api(), options.nodeName(), options.taintNotReady(), pods, meters);
        return reports.events();
    }

    private void reportToCluster() {
        if (reports != null) {
            reports.start(volumes);
        }
    }

    private void serveCalls(NodeEvents events) throws IOException {
        NodePaths paths = options.paths();
        NodeBinds binds = new NodeBinds(
                paths,
                volumes,
                new Stagings(options.runDirectory()),
                deadlines,
                new VolumeLocks<>(LOCK_PATIENCE),
                MOUNT_PATIENCE,
                SYSTEM_CALL_PATIENCE,
                pods,
                events);
        NodeService service = new NodeService(
                options.nodeName(),
                options.maxVolumes(),
                paths,
                binds,
                new VolumeStats(paths, volumes, STATUS_PATIENCE),
                new VolumeLocks<>(LOCK_PATIENCE),
                new Calls(CsiErrors.ofNode(options.nodeName())));
        List<ServerInterceptor> interceptors = List.of(new CallMetrics(meters));
        server = UnixServer.start(
                paths.csiSocket(), executor, interceptors, new IdentityService(() -> volumes != null), service);
    }

    private void register() throws IOException {
        Path socket = options.paths().registrationSocket();
        registrationServer = UnixServer.start(socket, executor, List.of(), registration);
        LOG.info("serving calls socket={} registration={}", options.paths().csiSocket(), socket);
    }

    int healthPort() {
        return health.port();
    }

    /** Blocks until another process has custody: kubelet is served on, so that pods can still be taken down meanwhile. */
    @Override
    public void close() {
        // First: a release that is removed takes this process's rights away with it.
        if (reports != null) {
            reports.close();
        }
        if (volumes != null) {
            volumes.close();
        }
        for (UnixServer open : new UnixServer[] {registrationServer, server}) {
            if (open != null) {
                open.close();
            }
        }
        deadlines.close();
        executor.shutdownNow();
        if (health != null) {
            health.close();
        }
        LOG.info("csi-node ended");
    }
}
