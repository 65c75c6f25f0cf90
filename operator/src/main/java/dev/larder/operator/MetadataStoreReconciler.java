package dev.larder.operator;

import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.MetadataStoreStatus;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.PostgresException;
import dev.larder.schema.ServerState;
import dev.larder.schema.VolumeRegistry;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** MetadataStore: asks the server what it can do, keeps its registry of volumes, purges what was deleted there. */
@ControllerConfiguration(name = "metadatastore")
final class MetadataStoreReconciler implements Reconciler<MetadataStore> {
    private final KubernetesClient client;
    private final Options options;
    private final CertificateFiles certificates;
    private final Purge purge;
    private final Events events;
    private final Clock clock;
    private final Backoff backoff = new Backoff();

    // Set once, before the first reconciliation.
    private StoreSecrets<MetadataStore> secrets;

    MetadataStoreReconciler(
            KubernetesClient client,
            Options options,
            CertificateFiles certificates,
            Purge purge,
            Events events,
            Clock clock) {
        this.client = client;
        this.options = options;
        this.certificates = certificates;
        this.purge = purge;
        this.events = events;
        this.clock = clock;
    }

    @Override
    public List<EventSource<?, MetadataStore>> prepareEventSources(EventSourceContext<MetadataStore> context) {
        secrets = new StoreSecrets<>(
                options.namespace(),
                MetadataStore.class,
                context,
                store -> store.getSpec().postgres().secretRef().name());
        return List.of(secrets.source());
    }

    @Override
    public UpdateControl<MetadataStore> reconcile(MetadataStore store, Context<MetadataStore> context) {
        ResourceID resource = ResourceID.fromResource(store);
        MetadataStoreStatus before = store.getStatus();
        List<Condition> conditions = before == null ? List.of() : before.conditions();
        long generation = store.getMetadata().getGeneration();
        try {
            DatabaseServer server = open(store);
            ServerState state = probe(store, server);
            record(store, StoreStatus.ready(conditions, generation, clock), state.version());
            backoff.succeeded(resource);
            boolean more = purge.run(store, server);
            return UpdateControl.<MetadataStore>noUpdate()
                    .rescheduleAfter(more ? Duration.ofSeconds(1) : options.refresh());
        } catch (Problem problem) {
            record(
                    store,
                    StoreStatus.problem(conditions, generation, clock, problem),
                    before == null ? null : before.version());
            return UpdateControl.<MetadataStore>noUpdate().rescheduleAfter(backoff.failed(resource));
        }
    }

    private DatabaseServer open(MetadataStore store) {
        String name = store.getMetadata().getName();
        return DatabaseServer.of(
                store,
                secrets.require(store.getSpec().postgres().secretRef().name(), "MetadataStore " + name),
                certificates);
    }

    private static ServerState probe(MetadataStore store, DatabaseServer server) {
        try {
            ServerState state = ServerState.read(server.admin());
            String problem = problem(state);
            if (problem != null) {
                throw new Problem(
                        Cause.DatabaseFailed,
                        server + " " + problem + "; kubectl edit metadatastore "
                                + store.getMetadata().getName());
            }
            new VolumeRegistry(server.admin()).install();
            return state;
        } catch (PostgresException e) {
            throw new Problem(
                    Cause.DatabaseFailed,
                    e.getMessage() + "; check the url and the Secret: kubectl describe metadatastore "
                            + store.getMetadata().getName(),
                    e);
        }
    }

    private static String problem(ServerState state) {
        if (state.number() < ServerState.LEAST) {
            return "is PostgreSQL " + state.version() + ": Larder needs 14 or newer";
        }
        if (state.readOnly()) {
            return "is a standby: name the primary, or all servers separated by commas";
        }
        if (!state.createsDatabases() || !state.createsRoles()) {
            return "is a login that may not create databases and roles: ALTER ROLE ... CREATEDB CREATEROLE";
        }
        return null;
    }

    private void record(MetadataStore store, List<Condition> conditions, String version) {
        MetadataStoreStatus before = store.getStatus();
        MetadataStoreStatus status =
                new MetadataStoreStatus(conditions, store.getMetadata().getGeneration(), version);
        if (status.equals(before)) {
            return;
        }
        MetadataStore copy = new MetadataStore();
        copy.setMetadata(store.getMetadata());
        copy.setSpec(store.getSpec());
        copy.setStatus(status);
        MetadataStore written = client.resource(copy).updateStatus();
        if (StoreStatus.changed(before == null ? List.of() : before.conditions(), conditions)) {
            StoreStatus.tell(events, written, conditions.getFirst());
        }
    }
}
