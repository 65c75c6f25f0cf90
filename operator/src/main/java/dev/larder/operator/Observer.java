package dev.larder.operator;

import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.PostgresException;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeLogins;
import dev.larder.schema.VolumeLogins.Side;
import dev.larder.schema.VolumeRegistry;
import dev.larder.schema.VolumeRegistry.Entry;
import dev.larder.schema.VolumeState;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.Secret;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads, never acts. What costs connections and changes by nobody's hand is looked at when something changed, and
 * otherwise every {@link #THOROUGH}; the volume's database tells its usage each time.
 */
final class Observer {
    static final Duration THOROUGH = Duration.ofMinutes(10);

    /**
     * What the servers said.
     *
     * @param of the versions of all objects it depends on
     */
    private record Outside(
            List<String> of,
            Instant at,
            Optional<Entry> entry,
            boolean prefixOwned,
            Set<Side> enabled,
            boolean passwordWorks) {}

    private final ClusterView cluster;
    private final String clusterId;
    private final Clock clock;
    private final Map<UUID, Outside> known = new ConcurrentHashMap<>();

    Observer(ClusterView cluster, String clusterId, Clock clock) {
        this.cluster = cluster;
        this.clusterId = clusterId;
        this.clock = clock;
    }

    /** Something was changed: the next observation is thorough. */
    void forget(UUID volume) {
        known.remove(volume);
    }

    /** @throws Problem when a server cannot be asked, or something of that name is not ours */
    Observed observe(SharedVolume volume, Stores.Chosen stores) {
        UUID id = Made.id(volume);
        String name = Made.persistentVolumeName(volume);
        Optional<Secret> secret = ours(cluster.secret(name), id);
        Optional<PersistentVolume> persistentVolume = ours(cluster.persistentVolume(name), id);
        var claim = ours(
                cluster.claim(
                        volume.getMetadata().getNamespace(),
                        volume.getMetadata().getName()),
                id);
        try {
            Outside outside = outside(volume, id, stores, secret);
            Optional<VolumeState> state = outside.entry.isEmpty()
                    ? Optional.empty()
                    : VolumeState.read(stores.database().admin(), id);
            boolean inDatabase = stores.objects().getSpec().postgres() != null;
            return new Observed(
                    volume,
                    id,
                    stores,
                    outside.entry,
                    state,
                    outside.prefixOwned,
                    !inDatabase || state.map(VolumeState::objectTables).orElse(false),
                    outside.enabled,
                    secret,
                    outside.passwordWorks,
                    persistentVolume,
                    claim,
                    clock.instant());
        } catch (PostgresException e) {
            throw databaseFailed(stores.metadata().getMetadata().getName(), e);
        }
    }

    static Problem databaseFailed(String store, PostgresException e) {
        return new Problem(Cause.DatabaseFailed, e.getMessage() + "; kubectl describe metadatastore " + store, e);
    }

    private static <T extends HasMetadata> Optional<T> ours(Optional<T> found, UUID id) {
        if (found.isPresent() && !ClusterView.volumeId(found.get()).equals(id.toString())) {
            T other = found.get();
            throw new Problem(
                    Cause.NameTaken,
                    other.getKind() + " " + other.getMetadata().getName()
                            + " is there and was made for something else: it is not touched; kubectl describe "
                            + other.getKind().toLowerCase(java.util.Locale.ROOT) + " "
                            + other.getMetadata().getName());
        }
        return found;
    }

    private Outside outside(SharedVolume volume, UUID id, Stores.Chosen stores, Optional<Secret> secret) {
        List<String> of = List.of(
                volume.getMetadata().getGeneration().toString(),
                version(stores.metadata()),
                version(stores.objects()),
                secret.map(Observer::version).orElse(""));
        Outside before = known.get(id);
        if (before != null && before.of.equals(of) && clock.instant().isBefore(before.at.plus(THOROUGH))) {
            return before;
        }
        ServerLogin admin = stores.database().admin();
        Optional<Entry> entry = new VolumeRegistry(admin).find(id);
        VolumeLogins logins = new VolumeLogins(admin);
        Set<Side> enabled = entry.isEmpty() ? Set.of() : logins.enabled(id);
        Outside now = new Outside(
                of,
                clock.instant(),
                entry,
                stores.bucket() == null || isPrefixOwned(volume, id, stores),
                enabled,
                works(logins, id, enabled, secret));
        known.put(id, now);
        return now;
    }

    private static boolean works(VolumeLogins logins, UUID id, Set<Side> enabled, Optional<Secret> secret) {
        if (secret.isEmpty() || !enabled.contains(AccessSecret.side(secret.get()))) {
            return false;
        }
        return AccessSecret.password(secret.get())
                .map(password -> logins.works(id, AccessSecret.side(secret.get()), password))
                .orElse(false);
    }

    /** @throws Problem when somebody else owns it */
    private boolean isPrefixOwned(SharedVolume volume, UUID id, Stores.Chosen stores) {
        Optional<Owner> owner = stores.bucket().owner(id);
        if (owner.isPresent()) {
            if (owner.get().isSameVolume(owner(volume, id, clusterId))) {
                return true;
            }
            if (!mayAdopt(volume, id, stores)) {
                throw new Problem(
                        Cause.OwnedByAnother,
                        "the folder of volume " + id + " in ObjectStore "
                                + stores.objects().getMetadata().getName() + " belongs to "
                                + owner.get().namespace() + "/" + owner.get().name()
                                + " of another cluster: nothing there is touched; use another store or prefix");
            }
            return false;
        }
        if (!stores.bucket().isEmpty(id)) {
            throw new Problem(
                    Cause.OwnedByAnother,
                    "the folder of volume " + id + " in ObjectStore "
                            + stores.objects().getMetadata().getName()
                            + " holds objects, but no record says whose they are: nothing there is touched; "
                            + "look at them and remove them if nobody needs them");
        }
        return false;
    }

    private static boolean mayAdopt(SharedVolume volume, UUID id, Stores.Chosen stores) {
        return volume.getSpec().adopt() != null
                && stores.metadata()
                        .getSpec()
                        .letsAdopt(id.toString(), volume.getMetadata().getNamespace());
    }

    static Owner owner(SharedVolume volume, UUID id, String clusterId) {
        return new Owner(
                Owner.VERSION,
                id,
                clusterId,
                volume.getMetadata().getNamespace(),
                volume.getMetadata().getName());
    }

    private static String version(HasMetadata resource) {
        // A store's status is not what the volume depends on.
        return resource instanceof Secret
                ? resource.getMetadata().getResourceVersion()
                : resource.getMetadata().getUid() + resource.getMetadata().getGeneration();
    }
}
