package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeStatus.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong is a condition that ends in what to do; when it is put right, the volume becomes Ready. */
@Tag(KubeApiServer.TAG)
class FailureTest {
    @TempDir
    static Path directory;

    private static Bed bed;

    @BeforeAll
    static void start() throws Exception {
        bed = new Bed(directory);
        bed.startOperator();
        bed.makeStores();
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    private static void says(Condition condition, String... parts) {
        for (String part : parts) {
            assertTrue(condition.getMessage().contains(part), condition.getMessage());
        }
    }

    @Test
    void aStoreThatIsNotThere() {
        bed.volume("homeless", "{capacity: 1Gi, objectStore: late}");
        says(
                bed.awaitReason("homeless", "StoresReady", "StoreNotFound"),
                "ObjectStore late",
                "kubectl get objectstores");
        assertEquals(Phase.Pending, bed.volume("homeless").get().getStatus().phase());
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: late}
                spec: {postgres: {}}
                """);
        assertEquals("late", bed.awaitReady("homeless").getStatus().objectStore());
    }

    @Test
    void aSecretThatIsMissingOrWrong() {
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: MetadataStore
                metadata: {name: locked}
                spec: {postgres: {url: "postgresql://127.0.0.1:%d", secretRef: {name: locked-admin}}}
                """.formatted(bed.database.port()));
        bed.volume("locked", "{capacity: 1Gi, metadataStore: locked}");
        says(
                bed.awaitMessage("locked", "StoresReady", "does not exist"),
                "Secret larder-system/locked-admin",
                "kubectl");
        bed.secret("locked-admin", Map.of("username", bed.database.user()));
        says(bed.awaitMessage("locked", "StoresReady", "has no password"), "locked-admin");
        bed.secret("locked-admin", Map.of("username", bed.database.user(), "password", "wrong"));
        says(bed.awaitMessage("locked", "StoresReady", "authentication failed"), "MetadataStore locked is not ready");
        bed.secret("locked-admin", Map.of("username", bed.database.user(), "password", bed.database.password()));
        bed.awaitReady("locked");
    }

    @Test
    void aStoreOfOthers() {
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: private}
                spec: {postgres: {}, allowedNamespaces: [team-b]}
                """);
        bed.volume("uninvited", "{capacity: 1Gi, objectStore: private}");
        says(
                bed.awaitReason("uninvited", "StoresReady", "NamespaceNotAllowed"),
                "namespace team-a",
                "allowedNamespaces");
    }

    @Test
    void aBucketThatCannotBeReached() {
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: nowhere}
                spec: {s3: {endpoint: "%s", bucket: missing, credentials: {secretRef: {name: s3-keys}}}}
                """.formatted(bed.s3.endpoint()));
        bed.volume("bucketless", "{capacity: 1Gi, objectStore: nowhere}");
        says(bed.awaitMessage("bucketless", "StoresReady", "NoSuchBucket"), "objectstore nowhere");
        bed.s3.createBucket("missing");
        bed.awaitReady("bucketless");
    }

    @Test
    void aDirectoryThatWasNotAllowed() {
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: local}
                spec: {directory: {path: /etc, shared: true}}
                """);
        bed.volume("local", "{capacity: 1Gi, objectStore: local}");
        says(bed.awaitMessage("local", "StoresReady", "directory /etc"), "helm upgrade");
    }

    @Test
    void aClaimOfThatNameIsNotTouched() {
        bed.apply("""
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: {name: taken, namespace: team-a}
                spec: {accessModes: [ReadWriteMany], storageClassName: other, resources: {requests: {storage: 1Gi}}}
                """);
        bed.volume("taken", "{capacity: 2Gi}");
        says(bed.awaitReason("taken", "ClaimMade", "NameTaken"), "PersistentVolumeClaim team-a/taken", "another name");
        assertEquals(
                "1Gi",
                bed.claim("taken")
                        .getSpec()
                        .getResources()
                        .getRequests()
                        .get("storage")
                        .toString());
        bed.client
                .persistentVolumeClaims()
                .inNamespace(Bed.TEAM)
                .withName("taken")
                .delete();
        bed.awaitReady("taken");
    }

    @Test
    void aDatabaseThatNobodyEnteredIsNotTouched() throws Exception {
        UUID id = UUID.randomUUID();
        String database = "larder_" + id.toString().replace('-', '_');
        bed.ask("postgres", bed.database.user(), bed.database.password(), "CREATE DATABASE " + database);
        seed("foreign", id, "rows");
        says(bed.awaitReason("foreign", "Provisioned", "DatabaseFailed"), database, "is not touched");
        assertEquals(
                "0",
                bed.ask(
                        database,
                        bed.database.user(),
                        bed.database.password(),
                        "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'larder%'"));
    }

    @Test
    void aFolderThatNobodyOwnsIsNotTouched() {
        UUID id = UUID.randomUUID();
        var spec = bed.objectStore("bucket").getSpec().s3();
        Keys keys = new Keys(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null, null);
        try (var client = S3Clients.open(spec, keys)) {
            client.putObject(
                    put -> put.bucket(Bed.BUCKET).key(Bucket.prefix(spec, id) + "precious"),
                    software.amazon.awssdk.core.sync.RequestBody.fromString("x"));
        }
        seed("folder", id, "bucket");
        says(bed.awaitReason("folder", "Provisioned", "OwnedByAnother"), id.toString(), "nothing there is touched");
        try (Bucket bucket = new Bucket("bucket", spec, keys)) {
            bucket.own(new Owner(Owner.VERSION, id, "another-cluster", "x", "y"));
        }
        says(bed.awaitMessage("folder", "Provisioned", "of another cluster"), "x/y");
    }

    /** A SharedVolume with an identity that was not made for it, as from a backup of another cluster. */
    private static void seed(String name, UUID id, String objects) {
        bed.stopOperator();
        bed.volume(name, "{capacity: 1Gi, objectStore: " + objects + "}");
        bed.client.resource(bed.volume(name).get()).editStatus(volume -> {
            volume.setStatus(new dev.larder.crds.v1alpha1.SharedVolumeStatus(
                    Phase.Pending, null, null, id.toString(), "main", objects, null, null, null, null, null, null));
            return volume;
        });
        try {
            bed.startOperator();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aServerThatGoesAwayAndComesBack() throws Exception {
        bed.volume("patient", "{capacity: 1Gi}");
        SharedVolume before = bed.awaitReady("patient");
        bed.postgres.stop(Duration.ofSeconds(30));
        try {
            SharedVolume degraded = bed.await("patient", status -> status.phase() == Phase.Degraded);
            assertFalse(Bed.isTrue(degraded.getStatus(), "Ready"));
            assertTrue(Bed.isTrue(degraded.getStatus(), "ClaimMade"));
        } finally {
            bed.postgres.ensureRunning(Duration.ofMinutes(1));
        }
        SharedVolume after = bed.awaitReady("patient");
        assertEquals(Bed.id(before), Bed.id(after));
        assertEquals(Phase.Ready, after.getStatus().phase());
    }
}
