package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.SharedVolume.Compression;
import dev.larder.crds.SharedVolume.Consistency;
import dev.larder.crds.SharedVolume.Durability;
import dev.larder.crds.v1alpha1.Group;
import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.MetadataStoreSpec;
import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import dev.larder.crds.v1alpha1.SecretReference;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeSpec;
import dev.larder.crds.v1alpha1.SharedVolumeStatus;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeLogins.Side;
import dev.larder.schema.VolumeRegistry.Entry;
import dev.larder.schema.VolumeRegistry.State;
import dev.larder.schema.VolumeState;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is done follows from what is seen, and from nothing else. */
class PlannerTest {
    private static final UUID ID = UUID.fromString("11111111-2222-4333-8444-555555555555");
    private static final String HERE = "this-cluster";
    private static final Instant NOW = Instant.parse("2026-11-30T09:00:00Z");
    private static final String PASSWORD = "0123456789abcdef";

    private static SharedVolume volume(String adopt) {
        SharedVolume volume = new SharedVolume();
        volume.setMetadata(new ObjectMetaBuilder()
                .withNamespace("team")
                .withName("models")
                .withUid("u")
                .withGeneration(1L)
                .build());
        volume.setSpec(new SharedVolumeSpec(
                null,
                null,
                new Quantity("1Gi"),
                null,
                "1d",
                Consistency.CLOSE_TO_OPEN,
                Durability.ON_FSYNC,
                Compression.NONE,
                SharedVolumeSpec.Claim.Managed,
                List.of(SharedVolumeSpec.AccessMode.ReadWriteMany),
                SharedVolumeSpec.DeletionPolicy.Retain,
                null,
                adopt));
        volume.setStatus(new SharedVolumeStatus(
                null, null, null, ID.toString(), "main", "rows", null, null, null, null, null, null));
        return volume;
    }

    private static Stores.Chosen stores(List<MetadataStoreSpec.Adoption> adoptions) {
        MetadataStore metadata = new MetadataStore();
        metadata.getMetadata().setName("main");
        metadata.setSpec(new MetadataStoreSpec(
                new MetadataStoreSpec.Postgres("postgresql://db", new SecretReference("s"), null), null, adoptions));
        ObjectStore objects = new ObjectStore();
        objects.getMetadata().setName("rows");
        objects.setSpec(new ObjectStoreSpec(null, new ObjectStoreSpec.Postgres(), null, null));
        ServerLogin login = new ServerLogin("db", 5432, "admin", "secret");
        return new Stores.Chosen(metadata, new DatabaseServer(login, login, null), objects, null, null);
    }

    private static Entry entry(String cluster, String namespace, String name, State state) {
        return new Entry(ID, cluster, namespace, name, "rows", state, null);
    }

    private static VolumeState state() {
        return new VolumeState(true, 1L << 30, 0, Duration.ofDays(1), 0, 1, true, List.of());
    }

    private static Observed nothing(SharedVolume volume, Stores.Chosen stores, Entry entry) {
        return new Observed(
                volume,
                ID,
                stores,
                Optional.ofNullable(entry),
                Optional.empty(),
                true,
                false,
                Set.of(),
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty(),
                NOW);
    }

    /** All is made; the arguments are what differs. */
    private static Observed made(VolumeState state, Secret secret, Set<Side> enabled, boolean works, String claimUid) {
        SharedVolume volume = volume(null);
        Observed bare = nothing(volume, stores(null), null);
        Secret own = secret == null ? secret(bare, Side.A) : secret;
        PersistentVolume persistentVolume = Made.persistentVolume(volume, "claim-1", "ns", "larder");
        PersistentVolumeClaim claim = new PersistentVolumeClaimBuilder(Made.claim(volume, "larder"))
                .editMetadata()
                .withUid(claimUid)
                .endMetadata()
                .build();
        return new Observed(
                volume,
                ID,
                bare.stores(),
                Optional.of(entry(HERE, "team", "models", State.LIVE)),
                Optional.of(state),
                true,
                true,
                enabled,
                Optional.of(own),
                works,
                Optional.of(persistentVolume),
                claimUid == null ? Optional.empty() : Optional.of(claim),
                NOW);
    }

    private static Secret secret(Observed seen, Side side) {
        return AccessSecret.build(seen, "ns", 7, AccessSecret.members(seen, 7, side, PASSWORD, null));
    }

    private static List<Step> plan(Observed seen) {
        return new Planner(HERE).plan(seen);
    }

    private static Problem refused(Observed seen) {
        return assertThrows(Problem.class, () -> plan(seen));
    }

    @Test
    void aNewVolumeIsEnteredFirst() {
        assertEquals(
                List.of(
                        new Step.Enter(),
                        new Step.MakeDatabase(),
                        new Step.MakeObjectTables(),
                        new Step.SetLimits(),
                        new Step.WriteSecret(Side.A, true, true),
                        new Step.EnableLogin(),
                        new Step.MakeClaim(),
                        new Step.MakePersistentVolume()),
                plan(nothing(volume(null), stores(null), null)));
    }

    @Test
    void nothingIsDoneWhereAllIsRight() {
        assertEquals(List.of(), plan(made(state(), null, Set.of(Side.A), true, "claim-1")));
    }

    @Test
    void onlyWhatDiffersIsDone() {
        VolumeState old = new VolumeState(false, 1L << 30, 0, Duration.ofDays(1), 0, 1, true, List.of());
        assertEquals(List.of(new Step.MakeDatabase()), plan(made(old, null, Set.of(Side.A), true, "claim-1")));
        VolumeState smaller = new VolumeState(true, 1, 0, Duration.ofDays(1), 0, 1, true, List.of());
        assertEquals(List.of(new Step.SetLimits()), plan(made(smaller, null, Set.of(Side.A), true, "claim-1")));
        assertEquals(List.of(new Step.EnableLogin()), plan(made(state(), null, Set.of(), false, "claim-1")));
        assertEquals(
                List.of(new Step.MakeClaim(), new Step.BindPersistentVolume()),
                plan(made(state(), null, Set.of(Side.A), true, null)));
        assertEquals(
                List.of(new Step.BindPersistentVolume()), plan(made(state(), null, Set.of(Side.A), true, "claim-2")));
    }

    @Test
    void theOldLoginIsDisabledWhenItsTimeHasCome() {
        Observed bare = nothing(volume(null), stores(null), null);
        Secret fresh = secret(bare, Side.B);
        assertEquals(
                List.of(new Step.DisableLogin(Side.A)),
                plan(made(state(), fresh, Set.of(Side.A, Side.B), true, "claim-1")));
        Secret retiring = new SecretBuilder(fresh)
                .editMetadata()
                .addToAnnotations(AccessSecret.RETIRING, NOW.plusSeconds(1).toString())
                .endMetadata()
                .build();
        assertEquals(List.of(), plan(made(state(), retiring, Set.of(Side.A, Side.B), true, "claim-1")));
    }

    @Test
    void aChangedSecretIsWrittenAgain() {
        Observed bare = nothing(volume(null), stores(null), null);
        Secret changed = new SecretBuilder(secret(bare, Side.A))
                .addToData("volume.json", "e30=")
                .build();
        assertEquals(
                List.of(new Step.WriteSecret(Side.A, false, false)),
                plan(made(state(), changed, Set.of(Side.A), true, "claim-1")));
    }

    @Test
    void whatBelongsToOthersIsRefused() {
        for (Entry other : List.of(
                entry("other-cluster", "team", "models", State.LIVE),
                entry(HERE, "other", "models", State.LIVE),
                entry(HERE, "team", "other", State.RETAINED))) {
            assertEquals(
                    Cause.OwnedByAnother,
                    refused(nothing(volume(null), stores(null), other)).why());
        }
        Entry elsewhere = new Entry(ID, HERE, "team", "models", "bucket", State.LIVE, null);
        assertTrue(refused(nothing(volume(null), stores(null), elsewhere))
                .getMessage()
                .contains("its bytes are in ObjectStore bucket"));
    }

    @Test
    void adoptionNeedsTheNamespaceOrAnAdministrator() {
        SharedVolume adopts = volume(ID.toString());
        assertEquals(
                Cause.NotAdoptable, refused(nothing(adopts, stores(null), null)).why());
        Step first = plan(nothing(adopts, stores(null), entry(HERE, "team", "before", State.TRASHED)))
                .getFirst();
        assertEquals(new Step.Enter(), first);
        assertEquals(
                Cause.NotAdoptable,
                refused(nothing(adopts, stores(null), entry(HERE, "team", "before", State.LIVE)))
                        .why());
        Entry foreign = entry("lost-cluster", "team", "models", State.LIVE);
        assertEquals(
                Cause.NotAdoptable,
                refused(nothing(adopts, stores(null), foreign)).why());
        var allowed = List.of(new MetadataStoreSpec.Adoption(ID.toString(), "team"));
        assertEquals(
                new Step.Enter(),
                plan(nothing(adopts, stores(allowed), foreign)).getFirst());
        var others = List.of(new MetadataStoreSpec.Adoption(ID.toString(), "another"));
        assertEquals(
                Cause.NotAdoptable,
                refused(nothing(adopts, stores(others), foreign)).why());
    }

    @Test
    void namesAreThoseOfTheContract() {
        SharedVolume volume = volume(null);
        assertEquals("larder-" + ID, Made.persistentVolumeName(volume));
        assertEquals(
                Group.DRIVER,
                Made.persistentVolume(volume, "u", "ns", "c").getSpec().getCsi().getDriver());
        volume.getMetadata().setAnnotations(java.util.Map.of(Group.PERSISTENT_VOLUME, "pvc-" + ID));
        assertEquals("larder-" + ID, Made.persistentVolumeName(volume), "a managed claim's volume is ours to name");
    }
}
