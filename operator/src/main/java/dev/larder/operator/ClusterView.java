package dev.larder.operator;

import dev.larder.crds.v1alpha1.Group;
import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.SharedVolume;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;

/**
 * What the API server says, as watches have told it: reading costs no request. A change of anything that a SharedVolume
 * depends on calls for its reconciliation. What is read may be a moment old, so what is made must not assume that it is
 * not there yet: the API server refuses a second one.
 */
final class ClusterView {
    private final String namespace;
    private final InformerEventSource<Secret, SharedVolume> secrets;
    private final InformerEventSource<PersistentVolume, SharedVolume> volumes;
    private final InformerEventSource<PersistentVolumeClaim, SharedVolume> claims;
    private final InformerEventSource<MetadataStore, SharedVolume> metadataStores;
    private final InformerEventSource<ObjectStore, SharedVolume> objectStores;

    /** @param namespace of the release, where all Secrets are */
    ClusterView(String namespace, EventSourceContext<SharedVolume> context) {
        this.namespace = namespace;
        this.secrets = new InformerEventSource<>(
                InformerEventSourceConfiguration.from(Secret.class, SharedVolume.class)
                        .withNamespaces(namespace)
                        .withSecondaryToPrimaryMapper(ClusterView::owner)
                        .build(),
                context);
        this.volumes = new InformerEventSource<>(
                InformerEventSourceConfiguration.from(PersistentVolume.class, SharedVolume.class)
                        .withLabelSelector(Group.VOLUME_ID)
                        .withSecondaryToPrimaryMapper(ClusterView::owner)
                        .build(),
                context);
        this.claims = new InformerEventSource<>(
                InformerEventSourceConfiguration.from(PersistentVolumeClaim.class, SharedVolume.class)
                        .withLabelSelector(Group.VOLUME_ID)
                        .withWatchAllNamespaces()
                        .withSecondaryToPrimaryMapper(ClusterView::owner)
                        .build(),
                context);
        this.metadataStores = stores(MetadataStore.class, context, ClusterView::mayUseMetadata);
        this.objectStores = stores(ObjectStore.class, context, ClusterView::mayUseObjects);
    }

    private static <S extends HasMetadata> InformerEventSource<S, SharedVolume> stores(
            Class<S> kind, EventSourceContext<SharedVolume> context, BiPredicate<SharedVolume, String> uses) {
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(kind, SharedVolume.class)
                        .withSecondaryToPrimaryMapper(store -> context.getPrimaryCache()
                                .list(volume ->
                                        uses.test(volume, store.getMetadata().getName()))
                                .map(ResourceID::fromResource)
                                .collect(Collectors.toSet()))
                        .build(),
                context);
    }

    /** One that names no store may get any as its default. */
    private static boolean mayUseMetadata(SharedVolume volume, String store) {
        String chosen = volume.getStatus() == null ? null : volume.getStatus().metadataStore();
        String named = chosen == null ? volume.getSpec().metadataStore() : chosen;
        return named == null || named.equals(store);
    }

    private static boolean mayUseObjects(SharedVolume volume, String store) {
        String chosen = volume.getStatus() == null ? null : volume.getStatus().objectStore();
        String named = chosen == null ? volume.getSpec().objectStore() : chosen;
        return named == null || named.equals(store);
    }

    private static Set<ResourceID> owner(HasMetadata made) {
        String volume = annotation(made, Group.VOLUME);
        int slash = volume.indexOf('/');
        return slash <= 0 ? Set.of() : Set.of(new ResourceID(volume.substring(slash + 1), volume.substring(0, slash)));
    }

    /** "" = none. */
    static String annotation(HasMetadata resource, String name) {
        return resource.getMetadata().getAnnotations() == null
                ? ""
                : resource.getMetadata().getAnnotations().getOrDefault(name, "");
    }

    /** "" = none. */
    static String volumeId(HasMetadata made) {
        return made.getMetadata().getLabels() == null
                ? ""
                : made.getMetadata().getLabels().getOrDefault(Group.VOLUME_ID, "");
    }

    List<EventSource<?, SharedVolume>> eventSources() {
        return List.of(secrets, volumes, claims, metadataStores, objectStores);
    }

    Optional<Secret> secret(String name) {
        return secrets.get(new ResourceID(name, namespace));
    }

    Optional<PersistentVolume> persistentVolume(String name) {
        return volumes.get(new ResourceID(name));
    }

    /** Only one that was made for a volume is seen. */
    Optional<PersistentVolumeClaim> claim(String inNamespace, String name) {
        return claims.get(new ResourceID(name, inNamespace));
    }

    Optional<MetadataStore> metadataStore(String name) {
        return metadataStores.get(new ResourceID(name));
    }

    Optional<ObjectStore> objectStore(String name) {
        return objectStores.get(new ResourceID(name));
    }

    List<String> defaultMetadataStores() {
        return defaults(metadataStores);
    }

    List<String> defaultObjectStores() {
        return defaults(objectStores);
    }

    private static <S extends HasMetadata> List<String> defaults(InformerEventSource<S, SharedVolume> stores) {
        return stores.list(store -> annotation(store, Group.IS_DEFAULT).equals("true"))
                .map(store -> store.getMetadata().getName())
                .sorted()
                .toList();
    }
}
