package dev.larder.operator;

import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeSpec.DeletionPolicy;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.PostgresException;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeLogins;
import dev.larder.schema.VolumeRegistry;
import dev.larder.schema.VolumeState;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when a SharedVolume is deleted: nothing while it is mounted; then claim, PersistentVolume, logins and
 * Secret go, and its data is kept or marked for the purge in the registry of its server. Every step may be repeated.
 */
final class Deletion {
    private static final Logger LOG = LoggerFactory.getLogger(Deletion.class);

    private final KubernetesClient client;
    private final Options options;
    private final String clusterId;
    private final Stores stores;

    Deletion(KubernetesClient client, Options options, String clusterId, Stores stores) {
        this.client = client;
        this.options = options;
        this.clusterId = clusterId;
        this.stores = stores;
    }

    /** @throws Problem while something is in the way */
    void delete(SharedVolume volume) {
        if (Stores.status(volume).volumeId() == null) {
            return;
        }
        UUID id = Made.id(volume);
        String store = Stores.status(volume).metadataStore();
        ServerLogin admin = stores.database(store).admin();
        try {
            boolean ours = new VolumeRegistry(admin)
                    .find(id)
                    .filter(entry ->
                            entry.belongsTo(clusterId, volume.getMetadata().getNamespace())
                                    && entry.name().equals(volume.getMetadata().getName()))
                    .isPresent();
            if (ours) {
                requireUnused(volume, admin, id);
            }
            removeClaim(volume, id);
            if (ours) {
                lockOut(volume, admin, id);
                keepOrTrash(volume, admin, id);
            }
            removeSecret(volume, id);
            LOG.info(
                    "deleted volume={} id={} policy={}",
                    Made.fullName(volume),
                    id,
                    volume.getSpec().deletionPolicy());
        } catch (PostgresException e) {
            throw Observer.databaseFailed(store, e);
        }
    }

    private static void requireUnused(SharedVolume volume, ServerLogin admin, UUID id) {
        List<String> hosts = VolumeState.read(admin, id).map(VolumeState::hosts).orElse(List.of());
        if (!hosts.isEmpty()) {
            throw new Problem(
                    Cause.InUse,
                    "it is mounted on " + String.join(", ", hosts) + ": it is deleted when no pod uses it; kubectl -n "
                            + volume.getMetadata().getNamespace() + " get pods");
        }
    }

    private void removeClaim(SharedVolume volume, UUID id) {
        if (!Made.isManaged(volume)) {
            return;
        }
        String namespace = volume.getMetadata().getNamespace();
        String name = volume.getMetadata().getName();
        var claim = client.persistentVolumeClaims().inNamespace(namespace).withName(name);
        if (remove(claim, id)) {
            throw new Problem(
                    Cause.ClaimInUse,
                    "PersistentVolumeClaim " + namespace + "/" + name
                            + " is going, but a pod still names it; kubectl -n " + namespace + " describe pvc " + name);
        }
        String persistentVolume = Made.persistentVolumeName(volume);
        if (remove(client.persistentVolumes().withName(persistentVolume), id)) {
            throw new Problem(
                    Cause.ClaimInUse,
                    "PersistentVolume " + persistentVolume + " is going; kubectl describe pv " + persistentVolume);
        }
    }

    /** @return whether it is there still */
    private static <T extends HasMetadata> boolean remove(Resource<T> resource, UUID id) {
        Optional<T> there = Optional.ofNullable(resource.get())
                .filter(one -> ClusterView.volumeId(one).equals(id.toString()));
        if (there.isEmpty()) {
            return false;
        }
        if (there.get().getMetadata().getDeletionTimestamp() == null) {
            resource.delete();
        }
        return resource.get() != null;
    }

    /** After this nobody can mount it; who did at the last moment is found by looking again. */
    private static void lockOut(SharedVolume volume, ServerLogin admin, UUID id) {
        VolumeLogins logins = new VolumeLogins(admin);
        for (VolumeLogins.Side side : VolumeLogins.Side.values()) {
            logins.disable(id, side);
        }
        requireUnused(volume, admin, id);
    }

    private void keepOrTrash(SharedVolume volume, ServerLogin admin, UUID id) {
        VolumeRegistry registry = new VolumeRegistry(admin);
        if (volume.getSpec().deletionPolicy() == DeletionPolicy.Delete) {
            registry.trash(id, options.purgeAfter());
        } else {
            registry.retain(id);
        }
    }

    private void removeSecret(SharedVolume volume, UUID id) {
        remove(client.secrets().inNamespace(options.namespace()).withName(Made.persistentVolumeName(volume)), id);
    }
}
