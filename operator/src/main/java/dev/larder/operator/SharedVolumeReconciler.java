package dev.larder.operator;

import dev.larder.crds.v1alpha1.SharedVolume;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * SharedVolume: database, logins, folder, Secret, PersistentVolume, claim. Of one volume one reconciliation runs at a
 * time; several volumes run at once.
 */
@ControllerConfiguration(name = "sharedvolume", finalizerName = SharedVolumeReconciler.FINALIZER)
final class SharedVolumeReconciler implements Reconciler<SharedVolume>, Cleaner<SharedVolume> {
    static final String FINALIZER = "larder.dev/volume";

    private static final Duration DELETION_RETRY = Duration.ofSeconds(10);

    private final KubernetesClient client;
    private final Options options;
    private final String clusterId;
    private final Applier applier;
    private final CertificateFiles certificates;
    private final Buckets buckets;
    private final StatusWriter status;
    private final Backoff backoff = new Backoff();
    private final Clock clock;

    // Set once, before the first reconciliation.
    private Stores stores;
    private Observer observer;
    private Deletion deletion;

    SharedVolumeReconciler(
            KubernetesClient client,
            Options options,
            String clusterId,
            CertificateFiles certificates,
            Buckets buckets,
            Events events,
            Clock clock,
            Consumer<Step> applied) {
        this.client = client;
        this.options = options;
        this.clusterId = clusterId;
        this.certificates = certificates;
        this.buckets = buckets;
        this.status = new StatusWriter(client, clusterId, events, clock);
        this.applier = new Applier(client, options, clusterId, clock, applied);
        this.clock = clock;
    }

    @Override
    public List<EventSource<?, SharedVolume>> prepareEventSources(EventSourceContext<SharedVolume> context) {
        ClusterView cluster = new ClusterView(options.namespace(), context);
        stores = new Stores(cluster, certificates, buckets, options.namespace());
        observer = new Observer(cluster, clusterId, clock);
        deletion = new Deletion(client, options, clusterId, stores);
        return cluster.eventSources();
    }

    @Override
    public UpdateControl<SharedVolume> reconcile(SharedVolume volume, Context<SharedVolume> context) {
        ResourceID resource = ResourceID.fromResource(volume);
        SharedVolume current = volume;
        try {
            Stores.Chosen chosen = stores.choose(current);
            current = status.assign(current, chosen);
            Observed seen = observer.observe(current, chosen);
            List<Step> plan = new Planner(clusterId).plan(seen);
            if (!plan.isEmpty()) {
                observer.forget(seen.id());
                applier.apply(seen, plan);
            }
            status.done(current, seen);
            backoff.succeeded(resource);
            return UpdateControl.<SharedVolume>noUpdate().rescheduleAfter(next(seen, plan));
        } catch (Problem problem) {
            status.problem(current, problem);
            return UpdateControl.<SharedVolume>noUpdate().rescheduleAfter(backoff.failed(resource));
        }
    }

    /** After work soon again, to see that all is as it should be; else when usage, keys or an old login are due. */
    private Duration next(Observed seen, List<Step> plan) {
        if (!plan.isEmpty()) {
            return Duration.ofSeconds(1);
        }
        Optional<Instant> due = seen.secret().flatMap(AccessSecret::renewKeysAt);
        Optional<Instant> retiring = seen.secret()
                .map(secret -> ClusterView.annotation(secret, AccessSecret.RETIRING))
                .filter(text -> !text.isEmpty() && seen.enabled().size() > 1)
                .map(Instant::parse);
        Duration wait = options.refresh();
        for (Optional<Instant> at : List.of(due, retiring)) {
            Duration until = at.map(instant -> Duration.between(clock.instant(), instant))
                    .orElse(wait);
            wait = until.compareTo(wait) < 0 ? until : wait;
        }
        return wait.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : wait;
    }

    @Override
    public DeleteControl cleanup(SharedVolume volume, Context<SharedVolume> context) {
        ResourceID resource = ResourceID.fromResource(volume);
        try {
            deletion.delete(volume);
            backoff.succeeded(resource);
            if (Stores.status(volume).volumeId() != null) {
                observer.forget(Made.id(volume));
            }
            return DeleteControl.defaultDelete();
        } catch (Problem problem) {
            status.problem(volume, problem);
            // Nobody tells that the last mount has ended.
            long wait = Math.min(backoff.failed(resource).toMillis(), DELETION_RETRY.toMillis());
            return DeleteControl.noFinalizerRemoval().rescheduleAfter(wait);
        }
    }
}
