package dev.larder.operator;

import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeStatus;
import dev.larder.operator.Problem.Cause;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.List;

/** Chooses the stores of a volume, and refuses those that it must not use or cannot. Reads only what watches told. */
final class Stores {
    private final ClusterView cluster;
    private final CertificateFiles certificates;
    private final Buckets buckets;
    private final String namespace;

    /** @param namespace of the release, for messages */
    Stores(ClusterView cluster, CertificateFiles certificates, Buckets buckets, String namespace) {
        this.cluster = cluster;
        this.certificates = certificates;
        this.buckets = buckets;
        this.namespace = namespace;
    }

    /**
     * The stores of one volume.
     *
     * @param bucket null unless the bytes are in S3
     * @param keys of the store; null unless it has some
     */
    record Chosen(MetadataStore metadata, DatabaseServer database, ObjectStore objects, Bucket bucket, Keys keys) {}

    /** @throws Problem that says which store is missing, not ready or not allowed */
    Chosen choose(SharedVolume volume) {
        MetadataStore metadata = metadataStore(volume);
        ObjectStore objects = objectStore(volume);
        requireReady("MetadataStore", metadata.getMetadata().getName(), conditions(metadata));
        requireReady("ObjectStore", objects.getMetadata().getName(), conditions(objects));
        return open(metadata, objects);
    }

    /** The server that the volume was made on, whether or not it is ready and may be used. */
    DatabaseServer database(String metadataStore) {
        MetadataStore store =
                cluster.metadataStore(metadataStore).orElseThrow(() -> missing("MetadataStore", metadataStore));
        return server(store);
    }

    private Chosen open(MetadataStore metadata, ObjectStore objects) {
        DatabaseServer server = server(metadata);
        if (objects.getSpec().s3() == null) {
            return new Chosen(metadata, server, objects, null, null);
        }
        Keys keys = keys(objects);
        return new Chosen(metadata, server, objects, buckets.of(objects, keys), keys);
    }

    private DatabaseServer server(MetadataStore store) {
        Secret admin = secret(
                store.getSpec().postgres().secretRef().name(),
                "MetadataStore " + store.getMetadata().getName());
        return DatabaseServer.of(store, admin, certificates);
    }

    private Keys keys(ObjectStore store) {
        var credentials = store.getSpec().s3().credentials();
        String name = store.getMetadata().getName();
        return credentials == null
                ? null
                : Keys.of(secret(credentials.secretRef().name(), "ObjectStore " + name), name);
    }

    private Secret secret(String name, String who) {
        return cluster.secret(name)
                .orElseThrow(() -> new Problem(
                        Cause.SecretNotFound,
                        "Secret " + namespace + "/" + name + ", which " + who + " names, does not exist; kubectl -n "
                                + namespace + " create secret generic " + name));
    }

    private MetadataStore metadataStore(SharedVolume volume) {
        SharedVolumeStatus status = status(volume);
        String name = name(
                "MetadataStore",
                status.metadataStore(),
                volume.getSpec().metadataStore(),
                cluster.defaultMetadataStores());
        MetadataStore store = cluster.metadataStore(name).orElseThrow(() -> missing("MetadataStore", name));
        requireAllowed(
                "MetadataStore",
                name,
                store.getSpec().allowedNamespaces(),
                volume.getMetadata().getNamespace());
        return store;
    }

    private ObjectStore objectStore(SharedVolume volume) {
        SharedVolumeStatus status = status(volume);
        String name = name(
                "ObjectStore", status.objectStore(), volume.getSpec().objectStore(), cluster.defaultObjectStores());
        ObjectStore store = cluster.objectStore(name).orElseThrow(() -> missing("ObjectStore", name));
        requireAllowed(
                "ObjectStore",
                name,
                store.getSpec().allowedNamespaces(),
                volume.getMetadata().getNamespace());
        return store;
    }

    static SharedVolumeStatus status(SharedVolume volume) {
        return volume.getStatus() == null ? SharedVolumeStatus.none() : volume.getStatus();
    }

    /** What was chosen once stays. */
    private static String name(String kind, String chosen, String named, List<String> defaults) {
        if (chosen != null) {
            return chosen;
        }
        if (named != null) {
            return named;
        }
        if (defaults.size() == 1) {
            return defaults.getFirst();
        }
        String plural = kind.equals("MetadataStore") ? "metadatastore" : "objectstore";
        if (defaults.isEmpty()) {
            throw new Problem(
                    Cause.NoDefaultStore,
                    "no " + kind + " is named, and none is the default; kubectl annotate " + plural
                            + " NAME larder.dev/is-default=true");
        }
        throw new Problem(
                Cause.NoDefaultStore,
                "no " + kind + " is named, and several are the default: " + String.join(", ", defaults)
                        + "; kubectl annotate " + plural + " " + defaults.getLast() + " larder.dev/is-default-");
    }

    private static Problem missing(String kind, String name) {
        return new Problem(
                Cause.StoreNotFound,
                kind + " " + name + " does not exist; kubectl get " + kind.toLowerCase(java.util.Locale.ROOT) + "s");
    }

    private static void requireAllowed(String kind, String name, List<String> allowed, String namespace) {
        if (allowed != null && !allowed.contains(namespace)) {
            throw new Problem(
                    Cause.NamespaceNotAllowed,
                    kind + " " + name + " may not be used from namespace " + namespace
                            + "; ask who runs it to add it to spec.allowedNamespaces");
        }
    }

    private static List<Condition> conditions(MetadataStore store) {
        return store.getStatus() == null ? List.of() : store.getStatus().conditions();
    }

    private static List<Condition> conditions(ObjectStore store) {
        return store.getStatus() == null ? List.of() : store.getStatus().conditions();
    }

    private static void requireReady(String kind, String name, List<Condition> conditions) {
        if (!Conditions.isTrue(conditions, Problem.Condition.Ready.name())) {
            String why = Conditions.find(conditions, Problem.Condition.Ready.name())
                    .map(Condition::getMessage)
                    .orElse("it has not been looked at yet");
            throw new Problem(
                    Cause.StoreNotReady,
                    kind + " " + name + " is not ready: " + why + "; kubectl describe "
                            + kind.toLowerCase(java.util.Locale.ROOT) + " " + name);
        }
    }
}
