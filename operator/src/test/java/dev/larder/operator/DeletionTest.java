package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.protocol.VolumeAccess;
import dev.larder.schema.VolumeLogins;
import dev.larder.schema.VolumeRegistry;
import dev.larder.schema.VolumeRegistry.State;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.file.Path;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A deleted SharedVolume takes nothing from who uses it, and its data goes late or never. */
@Tag(KubeApiServer.TAG)
class DeletionTest {
    @TempDir
    static Path directory;

    private static Bed bed;
    private static VolumeRegistry registry;

    @BeforeAll
    static void start() throws Exception {
        bed = new Bed(directory);
        bed.startOperator();
        bed.makeStores();
        registry = new VolumeRegistry(bed.database);
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    private static SharedVolume ready(String name, String spec) {
        bed.volume(name, spec);
        return bed.awaitReady(name);
    }

    private static State state(UUID id) {
        return registry.find(id).orElseThrow().state();
    }

    @Test
    void itWaitsForTheMountsThenKeepsTheData() throws Exception {
        SharedVolume volume = ready("used", "{capacity: 1Gi}");
        UUID id = Bed.id(volume);
        Secret secret = bed.secretOf(volume);
        bed.ask(id, "SELECT larder_v1.session_open(gen_random_uuid(), false, 'node-7', '/m', 600000, 1)");
        bed.volume("used").delete();
        Condition inUse = bed.awaitReason("used", "Deletable", "InUse");
        assertTrue(inUse.getMessage().contains("node-7"), inUse.getMessage());
        assertEquals("Deleting", bed.volume("used").get().getStatus().phase().name());
        assertNotNull(bed.claim("used"));
        assertNotNull(bed.secretOf(volume));
        assertEquals(State.LIVE, state(id));

        bed.ask(id, "DELETE FROM larder.session");
        bed.awaitGone("used");
        assertNull(bed.claim("used"));
        assertNull(bed.persistentVolumeOf(volume));
        assertNull(bed.secretOf(volume));
        assertEquals(State.RETAINED, state(id));
        VolumeLogins logins = new VolumeLogins(bed.database);
        assertEquals(Set.of(), logins.enabled(id));
        assertFalse(logins.works(id, VolumeLogins.Side.A, SecretValues.get(secret, VolumeAccess.PASSWORD)));
        assertEquals("1", bed.ask(id, "SELECT count(*) FROM larder.inode"));
    }

    @Test
    void itWaitsForThePodsThatNameTheClaim() throws Exception {
        ready("claimed", "{capacity: 1Gi}");
        bed.apply("""
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: default, namespace: team-a}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: user, namespace: team-a}
                spec:
                  nodeName: nowhere
                  containers: [{name: main, image: none, volumeMounts: [{name: v, mountPath: /v}]}]
                  volumes: [{name: v, persistentVolumeClaim: {claimName: claimed}}]
                """);
        bed.volume("claimed").delete();
        Condition held = bed.awaitReason("claimed", "Deletable", "ClaimInUse");
        assertTrue(held.getMessage().contains("describe pvc claimed"), held.getMessage());
        bed.client
                .pods()
                .inNamespace(Bed.TEAM)
                .withName("user")
                .withGracePeriod(0)
                .delete();
        bed.awaitGone("claimed");
        assertNull(bed.claim("claimed"));
    }

    @Test
    void whatWasDeletedIsAdopted() throws Exception {
        SharedVolume first = ready("lost", "{capacity: 1Gi, objectStore: bucket, deletionPolicy: Delete}");
        UUID id = Bed.id(first);
        bed.ask(id, "UPDATE larder.volume SET next_inode = 77");
        bed.volume("lost").delete();
        bed.awaitGone("lost");
        assertEquals(State.TRASHED, state(id));

        SharedVolume again = ready("found", "{capacity: 2Gi, objectStore: bucket, adopt: " + id + "}");
        assertEquals(id, Bed.id(again));
        assertEquals(State.LIVE, state(id));
        assertEquals("found", registry.find(id).orElseThrow().name());
        assertEquals("77 2147483648", bed.ask(id, "SELECT next_inode || ' ' || quota_bytes FROM larder.volume"));
        assertNotNull(bed.secretOf(again));
    }

    @Test
    void nobodyAdoptsWhatIsNotTheirs() throws Exception {
        SharedVolume living = ready("mine", "{capacity: 1Gi}");
        UUID id = Bed.id(living);
        bed.volume("thief", "{capacity: 1Gi, adopt: " + id + "}");
        Condition used = bed.awaitReason("thief", "Provisioned", "NotAdoptable");
        assertTrue(used.getMessage().contains("team-a/mine is using it"), used.getMessage());
        bed.volume("wish", "{capacity: 1Gi, adopt: 00000000-0000-4000-8000-000000000000}");
        bed.awaitReason("wish", "Provisioned", "NotAdoptable");

        bed.volume("mine").delete();
        bed.awaitGone("mine");
        bed.volume("thief").delete();
        bed.awaitGone("thief");
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata: {name: other, namespace: team-b}
                spec: {capacity: 1Gi, adopt: %s}
                """.formatted(id));
        var other =
                bed.client.resources(SharedVolume.class).inNamespace("team-b").withName("other");
        other.waitUntilCondition(
                volume -> volume.getStatus() != null
                        && Bed.condition(volume.getStatus(), "Provisioned") != null
                        && Bed.condition(volume.getStatus(), "Provisioned")
                                .getMessage()
                                .contains("belongs to namespace team-a"),
                60,
                TimeUnit.SECONDS);
        assertEquals(State.RETAINED, state(id));

        bed.client.resource(bed.metadataStore("main")).edit(store -> {
            store.setSpec(new dev.larder.crds.v1alpha1.MetadataStoreSpec(
                    store.getSpec().postgres(),
                    null,
                    java.util.List.of(
                            new dev.larder.crds.v1alpha1.MetadataStoreSpec.Adoption(id.toString(), "team-b"))));
            return store;
        });
        other.waitUntilCondition(
                volume -> volume.getStatus() != null && Bed.isTrue(volume.getStatus(), "Ready"), 60, TimeUnit.SECONDS);
        assertEquals("team-b", registry.find(id).orElseThrow().namespace());
    }

    @Test
    void aLostStatusDoesNotLoseTheVolume() {
        SharedVolume volume = ready("restored", "{capacity: 1Gi}");
        bed.client.resource(volume).editStatus(old -> {
            old.setStatus(null);
            return old;
        });
        bed.client.resource(bed.volume("restored").get()).edit(old -> {
            old.getMetadata().setAnnotations(java.util.Map.of("touched", "yes"));
            return old;
        });
        assertEquals(Bed.id(volume), Bed.id(bed.awaitReady("restored")));
    }

    @Test
    void theTrashIsPurged() throws Exception {
        SharedVolume volume = ready("gone", "{capacity: 1Gi, objectStore: bucket, deletionPolicy: Delete}");
        UUID id = Bed.id(volume);
        Keys keys = new Keys(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null, null);
        var spec = bed.objectStore("bucket").getSpec().s3();
        try (var client = S3Clients.open(spec, keys)) {
            for (int i = 0; i < 3; i++) {
                String key = Bucket.prefix(spec, id) + "a/" + i;
                client.putObject(
                        put -> put.bucket(Bed.BUCKET).key(key),
                        software.amazon.awssdk.core.sync.RequestBody.fromString("x"));
            }
        }
        bed.volume("gone").delete();
        bed.awaitGone("gone");
        assertEquals(State.TRASHED, state(id));
        bed.ask(
                VolumeRegistry.DATABASE,
                bed.database.user(),
                bed.database.password(),
                "UPDATE volume SET purge_after = now() WHERE id = '" + id + "'");
        bed.awaitEvent("default", "Purged", id.toString());
        assertTrue(registry.find(id).isEmpty());
        assertNull(bed.ask(
                "postgres",
                bed.database.user(),
                bed.database.password(),
                "SELECT 1 FROM pg_database WHERE datname = 'larder_"
                        + id.toString().replace('-', '_') + "'"));
        assertNull(bed.ask(
                "postgres",
                bed.database.user(),
                bed.database.password(),
                "SELECT 1 FROM pg_roles WHERE rolname LIKE 'larder_"
                        + id.toString().replace('-', '_') + "%'"));
        try (Bucket bucket = new Bucket("bucket", spec, keys)) {
            assertTrue(bucket.isEmpty(id));
            assertTrue(bucket.owner(id).isEmpty());
        }
        assertNotEquals(id, Bed.id(ready("gone", "{capacity: 1Gi, objectStore: bucket}")));
    }
}
