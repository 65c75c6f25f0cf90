package dev.larder.operator;

import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.PostgresException;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.VolumeRegistry;
import dev.larder.schema.VolumeRegistry.Entry;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes the data of volumes that were deleted long enough ago: objects first, then the database, then the entry. It
 * is driven by the registry of the server, so no namespace waits for it, and a crash at any point is continued.
 */
final class Purge {
    private static final Logger LOG = LoggerFactory.getLogger(Purge.class);
    private static final int PAGES = 20;

    private final KubernetesClient client;
    private final Options options;
    private final Buckets buckets;
    private final Events events;
    private final String clusterId;

    /** The last failure of each store. */
    private final Map<String, String> told = new ConcurrentHashMap<>();

    Purge(KubernetesClient client, Options options, Buckets buckets, Events events, String clusterId) {
        this.client = client;
        this.options = options;
        this.buckets = buckets;
        this.events = events;
        this.clusterId = clusterId;
    }

    /** @return whether there is more to do at once; what fails is told and tried again later */
    boolean run(MetadataStore store, DatabaseServer server) {
        VolumeRegistry registry = new VolumeRegistry(server.admin());
        try {
            for (Entry entry : registry.purgeable(clusterId, 1)) {
                if (!purgeObjects(entry)) {
                    return true;
                }
                new SchemaMigration(server.admin()).drop(entry.id());
                registry.strike(entry.id());
                String what = "volume " + entry.id() + " of deleted SharedVolume " + entry.namespace() + "/"
                        + entry.name() + " is purged";
                events.normal(store, "Purged", what);
                LOG.info("purged volume={}/{} id={}", entry.namespace(), entry.name(), entry.id());
                return true;
            }
            return false;
        } catch (Problem | PostgresException e) {
            // Told once, not at every look.
            if (!e.getMessage().equals(told.put(store.getMetadata().getName(), e.getMessage()))) {
                events.warning(store, "PurgeFailed", e.getMessage());
            }
            return false;
        }
    }

    /** @return whether none is left */
    private boolean purgeObjects(Entry entry) {
        ObjectStore objects = client.resources(ObjectStore.class)
                .withName(entry.objectStore())
                .get();
        if (objects == null) {
            throw new Problem(
                    Cause.StoreNotFound,
                    "the objects of deleted SharedVolume " + entry.namespace() + "/" + entry.name()
                            + " cannot be removed: ObjectStore " + entry.objectStore()
                            + " does not exist; make it again");
        }
        var s3 = objects.getSpec().s3();
        if (s3 == null) {
            return true;
        }
        Bucket bucket = buckets.of(objects, keys(objects));
        var owner = bucket.owner(entry.id());
        if (owner.isPresent() && !owner.get().cluster().equals(clusterId)) {
            throw new Problem(
                    Cause.OwnedByAnother,
                    "the folder of volume " + entry.id() + " belongs to another cluster: it is not touched");
        }
        // Without a record there was nothing, or all of it is gone already.
        return owner.isEmpty() || bucket.purge(entry.id(), PAGES);
    }

    private Keys keys(ObjectStore store) {
        var credentials = store.getSpec().s3().credentials();
        if (credentials == null) {
            return null;
        }
        Secret secret = client.secrets()
                .inNamespace(options.namespace())
                .withName(credentials.secretRef().name())
                .get();
        if (secret == null) {
            throw new Problem(
                    Cause.SecretNotFound,
                    "Secret " + options.namespace() + "/"
                            + credentials.secretRef().name() + " does not exist");
        }
        return Keys.of(secret, store.getMetadata().getName());
    }
}
