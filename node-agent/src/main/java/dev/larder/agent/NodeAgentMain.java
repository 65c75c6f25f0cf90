package dev.larder.agent;

import dev.larder.protocol.HealthServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Entry point of the process that serves all volumes of a node. Exit code 0: it was asked to end, and nothing depends on it
 * any more; 3: it could not start.
 */
@Command(
        name = "node-agent",
        description = "Serves the volumes of a node that csi-node mounts, with a cache on the node's disk.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        exitCodeOnInvalidInput = AgentProcess.EXIT_REFUSED)
public final class NodeAgentMain implements Callable<Integer> {
    /** From the end of the main thread's work to its halt. */
    private static final Duration HALT = Duration.ofSeconds(5);

    @Option(
            names = "--node-name",
            required = true,
            defaultValue = "${env:LARDER_NODE_NAME}",
            description = "Name of the node.")
    private String name;

    @Option(
            names = "--run-dir",
            defaultValue = "${env:LARDER_RUN_DIR:-/run/larder}",
            description = "Shared with csi-node: sockets and the volumes' records (default: ${DEFAULT-VALUE}).")
    private Path runDirectory;

    @Option(
            names = "--cache-dir",
            defaultValue = "${env:LARDER_CACHE_DIR:-/var/lib/larder/cache}",
            description = "On the node's own disk, ext4 or xfs (default: ${DEFAULT-VALUE}).")
    private Path cacheDirectory;

    @Option(
            names = "--cache-capacity",
            defaultValue = "${env:LARDER_CACHE_CAPACITY:-auto}",
            description = "A quantity such as 100Gi, or auto: four fifths of the disk (default: ${DEFAULT-VALUE}).")
    private String cacheCapacity;

    @Option(
            names = "--connections",
            defaultValue = "${env:LARDER_CONNECTIONS:-64}",
            description = "Most connections to databases, of all volumes together (default: ${DEFAULT-VALUE}).")
    private int connections;

    @Option(
            names = "--connections-per-volume",
            defaultValue = "${env:LARDER_CONNECTIONS_PER_VOLUME:-2}",
            description = "Most connections of a volume to its database (default: ${DEFAULT-VALUE}).")
    private int connectionsPerVolume;

    @Option(
            names = "--transfer-memory",
            defaultValue = "${env:LARDER_TRANSFER_MEMORY:-96Mi}",
            description = "For objects on their way, of all volumes together: a quantity, at least 16Mi (default:"
                    + " ${DEFAULT-VALUE}).")
    private String transferMemory;

    @Option(
            names = "--grace-seconds",
            defaultValue = "${env:LARDER_GRACE_SECONDS:-120}",
            description =
                    "From SIGTERM to SIGKILL, as the pod's terminationGracePeriodSeconds (default: ${DEFAULT-VALUE}).")
    private int graceSeconds;

    @Option(
            names = "--health-port",
            defaultValue = "${env:LARDER_HEALTH_PORT:-9810}",
            description = "Of /healthz, /readyz and /metrics (default: ${DEFAULT-VALUE}).")
    private int healthPort;

    private NodeAgentMain() {}

    public static void main(String[] arguments) {
        LogConfiguration.toConsole();
        int exit = new CommandLine(new NodeAgentMain())
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    System.err.println("node-agent: " + AgentMain.reason(failure));
                    return AgentProcess.EXIT_REFUSED;
                })
                .execute(arguments);
        // Not System.exit: the hook waits for the main thread.
        Runtime.getRuntime().halt(exit);
    }

    @Override
    public Integer call() throws IOException {
        NodeAgentOptions options = options();
        Logger log = LoggerFactory.getLogger(NodeAgentMain.class);
        log.info("node agent starts {}", options);
        CountDownLatch asked = new CountDownLatch(1);
        Thread main = Thread.currentThread();
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        try (NodeAgent agent = new NodeAgent(options, registry);
                HealthServer health = HealthServer.start(healthPort, () -> null, agent::obstacle, registry::scrape)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(asked, main), "terminate"));
            log.info("node agent answers on port={}", health.port());
            asked.await();
            agent.yieldUp();
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        } finally {
            log.info("node agent ends");
        }
    }

    /** The JVM ends when its hooks have ended: this one waits for the main thread, which halts. */
    private void end(CountDownLatch asked, Thread main) {
        asked.countDown();
        try {
            main.join(Duration.ofSeconds(graceSeconds));
            Thread.sleep(HALT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private NodeAgentOptions options() throws IOException {
        Files.createDirectories(cacheDirectory);
        return new NodeAgentOptions(
                name,
                runDirectory,
                cacheDirectory,
                NodeAgentOptions.capacity(cacheCapacity, cacheDirectory),
                connections,
                connectionsPerVolume,
                NodeAgentOptions.quantity("the transfer memory", transferMemory),
                Duration.ofSeconds(graceSeconds),
                healthPort);
    }
}
