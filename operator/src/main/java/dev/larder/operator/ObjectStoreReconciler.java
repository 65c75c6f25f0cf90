package dev.larder.operator;

import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.ObjectStoreStatus;
import dev.larder.operator.Problem.Cause;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/** ObjectStore: asks whether the bucket can be reached, or whether the directory may be named. */
@ControllerConfiguration(name = "objectstore")
final class ObjectStoreReconciler implements Reconciler<ObjectStore> {
    private final KubernetesClient client;
    private final Options options;
    private final Buckets buckets;
    private final Events events;
    private final Clock clock;
    private final Backoff backoff = new Backoff();

    // Set once, before the first reconciliation.
    private StoreSecrets<ObjectStore> secrets;

    ObjectStoreReconciler(KubernetesClient client, Options options, Buckets buckets, Events events, Clock clock) {
        this.client = client;
        this.options = options;
        this.buckets = buckets;
        this.events = events;
        this.clock = clock;
    }

    @Override
    public List<EventSource<?, ObjectStore>> prepareEventSources(EventSourceContext<ObjectStore> context) {
        secrets =
                new StoreSecrets<>(options.namespace(), ObjectStore.class, context, ObjectStoreReconciler::secretName);
        return List.of(secrets.source());
    }

    private static String secretName(ObjectStore store) {
        var s3 = store.getSpec().s3();
        return s3 == null || s3.credentials() == null
                ? null
                : s3.credentials().secretRef().name();
    }

    @Override
    public UpdateControl<ObjectStore> reconcile(ObjectStore store, Context<ObjectStore> context) {
        ResourceID resource = ResourceID.fromResource(store);
        List<Condition> conditions =
                store.getStatus() == null ? List.of() : store.getStatus().conditions();
        long generation = store.getMetadata().getGeneration();
        try {
            probe(store);
            record(store, StoreStatus.ready(conditions, generation, clock));
            backoff.succeeded(resource);
            return UpdateControl.<ObjectStore>noUpdate().rescheduleAfter(options.refresh());
        } catch (Problem problem) {
            record(store, StoreStatus.problem(conditions, generation, clock, problem));
            return UpdateControl.<ObjectStore>noUpdate().rescheduleAfter(backoff.failed(resource));
        }
    }

    private void probe(ObjectStore store) {
        String name = store.getMetadata().getName();
        if (store.getSpec().s3() != null) {
            String secret = secretName(store);
            Keys keys = secret == null ? null : Keys.of(secrets.require(secret, "ObjectStore " + name), name);
            buckets.of(store, keys).probe();
        } else if (store.getSpec().directory() != null) {
            requireAllowed(name, Path.of(store.getSpec().directory().path()));
        }
    }

    /** A directory of the nodes is named by who installs Larder, not by who may write an ObjectStore. */
    private void requireAllowed(String store, Path path) {
        if (!options.directories().contains(path)) {
            throw new Problem(
                    Cause.StoreNotReady,
                    "ObjectStore " + store + ": directory " + path
                            + " is not one that this installation allows ("
                            + (options.directories().isEmpty() ? "none" : options.directories())
                            + "); helm upgrade with objectStore.directories");
        }
    }

    private void record(ObjectStore store, List<Condition> conditions) {
        ObjectStoreStatus before = store.getStatus();
        ObjectStoreStatus status =
                new ObjectStoreStatus(conditions, store.getMetadata().getGeneration());
        if (status.equals(before)) {
            return;
        }
        ObjectStore copy = new ObjectStore();
        copy.setMetadata(store.getMetadata());
        copy.setSpec(store.getSpec());
        copy.setStatus(status);
        ObjectStore written = client.resource(copy).updateStatus();
        if (StoreStatus.changed(before == null ? List.of() : before.conditions(), conditions)) {
            StoreStatus.tell(events, written, conditions.getFirst());
        }
    }
}
