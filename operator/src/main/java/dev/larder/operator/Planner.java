package dev.larder.operator;

import dev.larder.crds.Quantity;
import dev.larder.crds.Retention;
import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeSpec;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.VolumeLogins.Side;
import dev.larder.schema.VolumeRegistry.Entry;
import dev.larder.schema.VolumeRegistry.State;
import dev.larder.schema.VolumeRow;
import dev.larder.schema.VolumeState;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares what there is with what there should be. Pure: no I/O, and the same answer for the same observation. */
final class Planner {
    private static final int ROOT_MODE = 0755;

    private final String cluster;

    /** @param cluster uid of this cluster */
    Planner(String cluster) {
        this.cluster = cluster;
    }

    /**
     * What is to be done, in order; empty when all is as it should be.
     *
     * @throws Problem when it belongs to somebody else
     */
    List<Step> plan(Observed seen) {
        List<Step> steps = new ArrayList<>();
        ownership(seen, steps);
        database(seen, steps);
        access(seen, steps);
        if (Made.isManaged(seen.volume())) {
            claim(seen, steps);
        }
        return steps;
    }

    /** What the volume's database is to say. */
    static VolumeRow row(Observed seen) {
        SharedVolumeSpec spec = seen.volume().getSpec();
        return new VolumeRow(
                seen.id(),
                Made.fullName(seen.volume()),
                Quantity.parse(spec.capacity().toString()).bytes(),
                spec.inodes() == null ? 0 : spec.inodes(),
                Retention.parse(spec.trash()).duration(),
                0,
                0,
                ROOT_MODE);
    }

    private void ownership(Observed seen, List<Step> steps) {
        String adopted = seen.volume().getSpec().adopt();
        if (seen.entry().isEmpty()) {
            if (adopted != null) {
                throw notAdoptable(seen, "no volume " + adopted + " is entered there");
            }
            steps.add(new Step.Enter());
        } else {
            Entry entry = seen.entry().get();
            requireOurs(seen, entry);
            if (entry.state() != State.LIVE || !entry.cluster().equals(cluster)) {
                steps.add(new Step.Enter());
            }
        }
        if (!seen.prefixOwned()) {
            steps.add(new Step.OwnPrefix());
        }
    }

    private void requireOurs(Observed seen, Entry entry) {
        String namespace = seen.volume().getMetadata().getNamespace();
        String name = seen.volume().getMetadata().getName();
        boolean ours = entry.belongsTo(cluster, namespace) && entry.name().equals(name);
        if (!ours && seen.volume().getSpec().adopt() == null) {
            throw new Problem(
                    Cause.OwnedByAnother,
                    "volume " + seen.id() + " on " + seen.stores().database() + " belongs to SharedVolume "
                            + entry.namespace() + "/" + entry.name()
                            + (entry.cluster().equals(cluster) ? "" : " of another cluster")
                            + ": nothing there is touched; delete this SharedVolume and make one without a status");
        }
        if (!ours) {
            requireAdoptable(seen, entry, namespace);
        }
        if (!entry.objectStore().equals(seen.stores().objects().getMetadata().getName())) {
            throw notAdoptable(seen, "its bytes are in ObjectStore " + entry.objectStore());
        }
    }

    private void requireAdoptable(Observed seen, Entry entry, String namespace) {
        boolean here = entry.cluster().equals(cluster);
        if (!entry.belongsTo(cluster, namespace)
                && !seen.stores().metadata().getSpec().letsAdopt(seen.id().toString(), namespace)) {
            throw notAdoptable(
                    seen,
                    "it belongs to namespace " + entry.namespace() + (here ? "" : " of another cluster")
                            + ", and spec.adoptions of the store does not name it and this namespace");
        }
        if (here && entry.state() == State.LIVE) {
            throw notAdoptable(seen, "SharedVolume " + entry.namespace() + "/" + entry.name() + " is using it");
        }
    }

    private static Problem notAdoptable(Observed seen, String why) {
        return new Problem(
                Cause.NotAdoptable,
                "volume " + seen.id() + " cannot be taken from MetadataStore "
                        + seen.stores().metadata().getMetadata().getName() + ": " + why
                        + "; delete this SharedVolume and make another with the right spec.adopt and stores");
    }

    private static void database(Observed seen, List<Step> steps) {
        Optional<VolumeState> state = seen.state();
        if (state.isEmpty() || !state.get().current()) {
            steps.add(new Step.MakeDatabase());
        }
        if (!seen.objectTables()) {
            steps.add(new Step.MakeObjectTables());
        }
        VolumeRow row = row(seen);
        // Adopted: the database has the quotas of its former life.
        if (state.isEmpty()
                || state.get().quotaBytes() != row.quotaBytes()
                || state.get().quotaInodes() != row.quotaInodes()
                || !state.get().trash().equals(row.trash())) {
            steps.add(new Step.SetLimits());
        }
    }

    private static void access(Observed seen, List<Step> steps) {
        if (seen.secret().isEmpty()) {
            // Who is mounted goes on with the other login until it has adopted this one.
            Side side = seen.enabled().contains(Side.A) && !seen.enabled().contains(Side.B) ? Side.B : Side.A;
            steps.add(new Step.WriteSecret(side, true, true));
            steps.add(new Step.EnableLogin());
            return;
        }
        Secret secret = seen.secret().get();
        boolean password = AccessSecret.password(secret).isPresent();
        boolean keys = keysAreDue(seen, secret);
        if (!password || keys || !AccessSecret.isCurrent(seen, secret)) {
            steps.add(new Step.WriteSecret(AccessSecret.side(secret), !password, keys));
        }
        if (!password || !seen.passwordWorks()) {
            steps.add(new Step.EnableLogin());
        }
        retiring(seen, secret, steps);
    }

    /** Keys that live for ever are due when the store has others, keys of a session at half of their life. */
    private static boolean keysAreDue(Observed seen, Secret secret) {
        ObjectStoreSpec.S3 s3 = seen.stores().objects().getSpec().s3();
        boolean session = s3 != null
                && s3.credentials() != null
                && s3.credentials().type() == ObjectStoreSpec.CredentialType.ASSUME_ROLE;
        Optional<Instant> renewal = AccessSecret.renewKeysAt(secret);
        if (session) {
            return renewal.isEmpty() || !seen.at().isBefore(renewal.get()) || AccessSecret.keys(secret) == null;
        }
        String wanted =
                seen.stores().keys() == null ? null : seen.stores().keys().file();
        return renewal.isPresent() || !java.util.Objects.equals(wanted, AccessSecret.keys(secret));
    }

    private static void retiring(Observed seen, Secret secret, List<Step> steps) {
        Side other = AccessSecret.side(secret).other();
        String retiring = ClusterView.annotation(secret, AccessSecret.RETIRING);
        boolean due = retiring.isEmpty() || !seen.at().isBefore(Instant.parse(retiring));
        if (seen.enabled().contains(other) && due) {
            steps.add(new Step.DisableLogin(other));
        }
    }

    private static void claim(Observed seen, List<Step> steps) {
        SharedVolume volume = seen.volume();
        if (seen.claim().isEmpty()) {
            steps.add(new Step.MakeClaim());
        } else if (asksForLess(seen.claim().get(), volume)) {
            steps.add(new Step.GrowClaim());
        }
        if (seen.persistentVolume().isEmpty()) {
            steps.add(new Step.MakePersistentVolume());
        } else if (isForAnotherClaim(seen)) {
            steps.add(new Step.BindPersistentVolume());
        }
    }

    private static boolean isForAnotherClaim(Observed seen) {
        var reference = seen.persistentVolume().get().getSpec().getClaimRef();
        String uid = seen.claim().map(claim -> claim.getMetadata().getUid()).orElse(null);
        return uid == null || reference == null || !uid.equals(reference.getUid());
    }

    private static boolean asksForLess(PersistentVolumeClaim claim, SharedVolume volume) {
        var request = claim.getSpec().getResources() == null
                ? null
                : claim.getSpec().getResources().getRequests().get("storage");
        return request == null
                || request.getNumericalAmount()
                                .compareTo(volume.getSpec().capacity().getNumericalAmount())
                        < 0;
    }
}
