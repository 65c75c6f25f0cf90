package dev.larder.operator;

import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.protocol.HealthServer;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operator at work, from {@link #start} to {@link #close}. */
final class RunningOperator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunningOperator.class);
    private static final int THREADS = 8;
    private static final Duration FINISH = Duration.ofSeconds(25);
    private static final String LEASE = "larder-operator";

    private final Operator operator;
    private final Buckets buckets;
    private final HealthServer health;
    private final AtomicBoolean stopping;

    private RunningOperator(Operator operator, Buckets buckets, HealthServer health, AtomicBoolean stopping) {
        this.stopping = stopping;
        this.operator = operator;
        this.buckets = buckets;
        this.health = health;
    }

    /**
     * Starts to watch; with leader election, waits in the background until it is the leader.
     *
     * @param client is closed by its owner
     * @param scratch a directory of this process
     * @param instance the name of the pod
     * @param applied is told each step after it is done
     * @param lost called when another one leads: what runs here must end
     */
    static RunningOperator start(
            KubernetesClient client,
            Options options,
            Path scratch,
            String instance,
            Clock clock,
            Consumer<Step> applied,
            Runnable lost)
            throws IOException {
        AtomicBoolean stopping = new AtomicBoolean();
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Operator operator = new Operator(service -> {
            service.withKubernetesClient(client)
                    .withCloseClientOnStop(false)
                    .withConcurrentReconciliationThreads(THREADS)
                    .withUseSSAToPatchPrimaryResource(false)
                    // Kinds that were made a moment ago cannot be listed yet: that passes.
                    .withStopOnInformerErrorDuringStartup(false)
                    .withReconciliationTerminationTimeout(FINISH)
                    .withMetrics(new OperatorMetrics(metrics));
            if (options.leaderElection()) {
                service.withLeaderElectionConfiguration(lease(options, instance, stopping, lost));
            }
        });
        Consumer<Step> counted = step -> metrics.counter(
                        "larder.operator.steps", "step", step.getClass().getSimpleName())
                .increment();
        String clusterId = clusterId(client);
        CertificateFiles certificates = new CertificateFiles(scratch);
        Buckets buckets = new Buckets();
        Events events = new Events(client, instance, clock);
        Purge purge = new Purge(client, options, buckets, events, clusterId);
        operator.register(
                new MetadataStoreReconciler(client, options, certificates, purge, events, clock),
                RunningOperator::<MetadataStore>retrying);
        operator.register(
                new ObjectStoreReconciler(client, options, buckets, events, clock),
                RunningOperator::<ObjectStore>retrying);
        operator.register(
                new SharedVolumeReconciler(
                        client, options, clusterId, certificates, buckets, events, clock, counted.andThen(applied)),
                RunningOperator::<SharedVolume>retrying);
        HealthServer health =
                HealthServer.start(options.healthPort(), () -> problem(operator), () -> null, metrics::scrape);
        operator.start();
        LOG.info("operator started cluster={} {}", clusterId, options);
        return new RunningOperator(operator, buckets, health, stopping);
    }

    private static String problem(Operator operator) {
        boolean well = !operator.getRuntimeInfo().isStarted()
                || operator.getRuntimeInfo().allEventSourcesAreHealthy();
        return well ? null : "an event source is not healthy";
    }

    private static LeaderElectionConfiguration lease(
            Options options, String instance, AtomicBoolean stopping, Runnable lost) {
        Runnable stopped = () -> {
            if (!stopping.get()) {
                LOG.error("another instance leads: this one ends instance={}", instance);
                lost.run();
            }
        };
        return new LeaderElectionConfiguration(
                LEASE,
                options.namespace(),
                LeaderElectionConfiguration.LEASE_DURATION_DEFAULT_VALUE,
                LeaderElectionConfiguration.RENEW_DEADLINE_DEFAULT_VALUE,
                LeaderElectionConfiguration.RETRY_PERIOD_DEFAULT_VALUE,
                instance,
                new LeaderCallbacks(
                        () -> LOG.info("leads instance={}", instance),
                        stopped,
                        leader -> LOG.info("leader={} instance={}", leader, instance)),
                false);
    }

    /** What the API server refuses, because somebody wrote in between, is tried again for ever, at most this often. */
    private static <R extends HasMetadata> void retrying(ControllerConfigurationOverrider<R> controller) {
        controller.withRetry(new GenericRetry()
                .setInitialInterval(Duration.ofMillis(500))
                .setMaxInterval(Backoff.MOST.toMillis())
                .withoutMaxAttempts());
    }

    /** The uid of the namespace that no cluster lacks and none deletes. */
    private static String clusterId(KubernetesClient client) {
        Namespace system = client.namespaces().withName("kube-system").get();
        if (system == null) {
            throw new IllegalStateException("namespace kube-system does not exist: its uid identifies the cluster");
        }
        return system.getMetadata().getUid();
    }

    /** Works until the latch says that it is over. */
    void awaitEnd(CountDownLatch ended) throws InterruptedException {
        LOG.info("serves health and metrics port={}", health.port());
        ended.await();
    }

    int healthPort() {
        return health.port();
    }

    /** Finishes what is under way. */
    @Override
    public void close() {
        stopping.set(true);
        operator.stop();
        health.close();
        buckets.close();
        LOG.info("operator stopped");
    }
}
