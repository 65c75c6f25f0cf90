package dev.larder.operator;

import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeStatus;
import dev.larder.crds.v1alpha1.SharedVolumeStatus.Phase;
import dev.larder.operator.Problem.Condition;
import dev.larder.schema.PostgresException;
import dev.larder.schema.VolumeRegistry;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.util.List;
import java.util.UUID;

/**
 * Writes the status of a SharedVolume, when it says something new, and tells the change as an event. It is refused by
 * the API server when somebody wrote in between, which ends the reconciliation; the next one sees what was written.
 */
final class StatusWriter {
    private static final String MADE = "Made";

    /** Takes a moment each time: nothing that people should be warned of. */
    private static final String WAITING = "WaitingForBinding";

    private final KubernetesClient client;
    private final String clusterId;
    private final Events events;
    private final Clock clock;

    /** @param clusterId uid of this cluster */
    StatusWriter(KubernetesClient client, String clusterId, Events events, Clock clock) {
        this.client = client;
        this.clusterId = clusterId;
        this.events = events;
        this.clock = clock;
    }

    /** Gives the volume its identity and its stores for ever, before anything outside is made. */
    SharedVolume assign(SharedVolume volume, Stores.Chosen stores) {
        SharedVolumeStatus before = Stores.status(volume);
        if (before.volumeId() != null) {
            return volume;
        }
        String id = volume.getSpec().adopt() == null
                ? identity(volume, stores)
                : volume.getSpec().adopt();
        return write(
                volume,
                new SharedVolumeStatus(
                        Phase.Pending,
                        before.conditions(),
                        before.observedGeneration(),
                        id,
                        stores.metadata().getMetadata().getName(),
                        stores.objects().getMetadata().getName(),
                        null,
                        null,
                        null,
                        null,
                        null,
                        null));
    }

    /** A SharedVolume whose status was lost, by a restored backup for instance, gets the volume that it had. */
    private String identity(SharedVolume volume, Stores.Chosen stores) {
        try {
            return new VolumeRegistry(stores.database().admin())
                    .living(
                            clusterId,
                            volume.getMetadata().getNamespace(),
                            volume.getMetadata().getName())
                    .map(entry -> entry.id())
                    .orElseGet(UUID::randomUUID)
                    .toString();
        } catch (PostgresException e) {
            throw Observer.databaseFailed(stores.metadata().getMetadata().getName(), e);
        }
    }

    /** All was done; whether the claim is bound is the cluster's part. */
    SharedVolume done(SharedVolume volume, Observed seen) {
        boolean managed = Made.isManaged(volume);
        boolean bound = !managed
                || seen.claim()
                        .filter(claim -> claim.getStatus() != null
                                && "Bound".equals(claim.getStatus().getPhase()))
                        .isPresent();
        String claim = Made.fullName(volume);
        Conditions conditions = conditions(volume)
                .set(Condition.StoresReady.name(), true, "Ready", "both stores are ready")
                .set(Condition.Provisioned.name(), true, MADE, "database, logins and Secret are made");
        if (managed) {
            conditions
                    .set(Condition.ClaimMade.name(), true, MADE, "PersistentVolume and claim are made")
                    .set(
                            Condition.Bound.name(),
                            bound,
                            bound ? "Bound" : WAITING,
                            bound
                                    ? "claim " + claim + " is bound"
                                    : "claim " + claim + " is not bound yet; kubectl -n "
                                            + volume.getMetadata().getNamespace() + " describe pvc "
                                            + volume.getMetadata().getName());
        }
        conditions.set(
                Condition.Ready.name(),
                bound,
                bound ? "Ready" : WAITING,
                bound ? "pods can mount it" : "its claim is not bound yet");
        return write(volume, status(volume, seen, bound ? Phase.Ready : Phase.Pending, conditions));
    }

    /** What stands before the problem stays true, what stands behind it stays as it was. */
    SharedVolume problem(SharedVolume volume, Problem problem) {
        SharedVolumeStatus before = Stores.status(volume);
        Conditions conditions = conditions(volume);
        Condition failed = problem.why().condition();
        for (Condition condition : Condition.values()) {
            var old = Conditions.find(before.conditions(), condition.name());
            if (condition == failed || condition == Condition.Ready) {
                conditions.set(condition.name(), false, problem.why().name(), problem.getMessage());
            } else if (condition == Condition.StoresReady && failed != Condition.Deletable) {
                conditions.set(condition.name(), true, "Ready", "both stores are ready");
            } else if (old.isPresent()) {
                conditions.keep(old.get());
            }
        }
        boolean deleting = volume.getMetadata().getDeletionTimestamp() != null;
        boolean provisioned = Conditions.isTrue(before.conditions(), Condition.Provisioned.name())
                || before.phase() == Phase.Ready
                || before.phase() == Phase.Degraded;
        Phase phase = deleting ? Phase.Deleting : provisioned ? Phase.Degraded : Phase.Pending;
        return write(
                volume,
                new SharedVolumeStatus(
                        phase,
                        conditions.list(),
                        volume.getMetadata().getGeneration(),
                        before.volumeId(),
                        before.metadataStore(),
                        before.objectStore(),
                        before.persistentVolume(),
                        before.claim(),
                        before.capacity(),
                        before.used(),
                        before.usedInodes(),
                        before.nodes()));
    }

    private Conditions conditions(SharedVolume volume) {
        return new Conditions(
                Stores.status(volume).conditions(), volume.getMetadata().getGeneration(), clock);
    }

    private static SharedVolumeStatus status(SharedVolume volume, Observed seen, Phase phase, Conditions conditions) {
        return new SharedVolumeStatus(
                phase,
                conditions.list(),
                volume.getMetadata().getGeneration(),
                seen.id().toString(),
                seen.stores().metadata().getMetadata().getName(),
                seen.stores().objects().getMetadata().getName(),
                Made.persistentVolumeName(volume),
                Made.isManaged(volume) ? volume.getMetadata().getName() : null,
                volume.getSpec().capacity().toString(),
                seen.state().map(state -> Bytes.text(state.bytes())).orElse("0"),
                seen.state().map(state -> state.inodes()).orElse(1L),
                seen.state().map(state -> state.hosts().size()).orElse(0));
    }

    private SharedVolume write(SharedVolume volume, SharedVolumeStatus status) {
        SharedVolumeStatus before = Stores.status(volume);
        if (status.equals(before)) {
            return volume;
        }
        SharedVolume copy = new SharedVolume();
        copy.setMetadata(volume.getMetadata());
        copy.setSpec(volume.getSpec());
        copy.setStatus(status);
        SharedVolume written = client.resource(copy).updateStatus();
        tell(written, before.conditions(), status.conditions());
        return written;
    }

    /** Of the conditions that changed, the ones that people act on. */
    private void tell(
            SharedVolume volume,
            List<io.fabric8.kubernetes.api.model.Condition> before,
            List<io.fabric8.kubernetes.api.model.Condition> now) {
        for (var condition : now) {
            var old = Conditions.find(before, condition.getType());
            boolean same = old.isPresent()
                    && old.get().getStatus().equals(condition.getStatus())
                    && old.get().getReason().equals(condition.getReason());
            if (same) {
                continue;
            }
            if (condition.getStatus().equals("True")) {
                events.normal(volume, condition.getType(), condition.getMessage());
            } else if (!condition.getType().equals(Condition.Ready.name())
                    && !condition.getReason().equals(WAITING)) {
                events.warning(volume, condition.getReason(), condition.getMessage());
            }
        }
    }
}
