package dev.larder.csi.controller;

import dev.larder.csi.CallExecutor;
import dev.larder.csi.CallMetrics;
import dev.larder.csi.Calls;
import dev.larder.csi.CsiErrors;
import dev.larder.csi.Driver;
import dev.larder.csi.IdentityService;
import dev.larder.csi.UnixServer;
import dev.larder.csi.VolumeLocks;
import dev.larder.protocol.HealthServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process csi-controller. It keeps no state, and the sidecars elect who of several works, so it starts and ends at any
 * moment.
 */
final class CsiController implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CsiController.class);

    /** For the operator. The provisioner asks again, with the same name, when its own time is over. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Duration LOCK_PATIENCE = Duration.ofSeconds(1);
    private static final Duration HEALTH_PATIENCE = Duration.ofSeconds(2);

    private final ExecutorService executor;
    private final HealthServer health;
    private final UnixServer server;

    private CsiController(ExecutorService executor, HealthServer health, UnixServer server) {
        this.executor = executor;
        this.health = health;
        this.server = server;
    }

    static CsiController start(CsiControllerOptions options, SharedVolumes volumes) throws IOException {
        LOG.info("csi-controller {} {}", Driver.version(), options);
        PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ExecutorService executor = CallExecutor.create();
        ControllerService service = new ControllerService(
                options.namespace,
                volumes,
                new ClaimVolumes(volumes, PATIENCE),
                new VolumeLocks<>(LOCK_PATIENCE),
                new Calls(CsiErrors.ofController()));
        HealthServer health = HealthServer.start(
                options.healthPort,
                () -> CallExecutor.isResponsive(executor, HEALTH_PATIENCE) ? null : "no thread is free for calls",
                () -> null,
                meters::scrape);
        try {
            UnixServer server = UnixServer.start(
                    options.csiAddress,
                    executor,
                    List.of(new CallMetrics(meters)),
                    new IdentityService(() -> true),
                    service);
            LOG.info("serving calls socket={}", options.csiAddress);
            return new CsiController(executor, health, server);
        } catch (IOException | RuntimeException e) {
            health.close();
            executor.shutdownNow();
            throw e;
        }
    }

    @Override
    public void close() {
        server.close();
        health.close();
        executor.shutdownNow();
        LOG.info("csi-controller ended");
    }
}
