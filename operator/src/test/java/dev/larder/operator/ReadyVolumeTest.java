package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.protocol.VolumeAccess;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A SharedVolume becomes Ready, with everything that a node needs to mount it. */
@Tag(KubeApiServer.TAG)
class ReadyVolumeTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

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

    private static VolumeAccess access(Secret secret) throws Exception {
        return JSON.readValue(SecretValues.get(secret, VolumeAccess.FILE), VolumeAccess.class);
    }

    @Test
    void inTheDefaultStores() throws Exception {
        bed.volume("models", "{capacity: 1Gi, inodes: 1000, trash: 2d, compression: zstd, durability: onClose}");
        SharedVolume volume = bed.awaitReady("models");
        UUID id = Bed.id(volume);

        assertEquals("larder-" + id, volume.getStatus().persistentVolume());
        assertEquals("main", volume.getStatus().metadataStore());
        assertEquals("rows", volume.getStatus().objectStore());
        assertEquals("1Gi", volume.getStatus().capacity());
        assertEquals(1, volume.getStatus().observedGeneration());
        assertEquals("Ready", volume.getStatus().phase().name());

        Secret secret = bed.secretOf(volume);
        VolumeAccess access = access(secret);
        assertEquals("team-a/models", access.volume());
        assertEquals(id, access.volumeId());
        assertEquals("zstd", access.codec());
        assertEquals("closeToOpen", access.consistency());
        assertEquals("onClose", access.durability());
        assertEquals(120, access.patienceSeconds());
        assertTrue(access.generation() > 0);
        assertNotNull(access.objectStore().postgres());
        assertFalse(secret.getData().containsKey(VolumeAccess.S3_CREDENTIALS));

        String database = "larder_" + id.toString().replace('-', '_');
        String password = SecretValues.get(secret, VolumeAccess.PASSWORD);
        assertEquals(database + "_a", access.user());
        assertEquals("0", bed.ask(database, access.user(), password, "SELECT errno FROM larder_v1.attributes(1)"));
        assertEquals("0", bed.ask(database, access.user(), password, "SELECT count(*) FROM larder_objects.chunk"));
        assertThrows(
                SQLException.class, () -> bed.ask(database, access.user(), password, "SELECT 1 FROM larder.inode"));
        assertEquals(
                "1073741824 1000 2 days",
                bed.ask(
                        id,
                        "SELECT concat_ws(' ', quota_bytes, quota_inodes, justify_hours(trash)) FROM larder.volume"));
        assertEquals(
                "team-a models rows LIVE",
                bed.ask(
                        "larder_registry",
                        bed.database.user(),
                        bed.database.password(),
                        "SELECT concat_ws(' ', namespace, name, object_store, state) FROM volume WHERE id = '" + id
                                + "'"));
    }

    @Test
    void theClaimIsBoundToAVolumeThatNamesTheSecret() {
        bed.volume("bound", "{capacity: 2Gi, accessModes: [ReadWriteMany, ReadOnlyMany]}");
        SharedVolume volume = bed.awaitReady("bound");
        PersistentVolume made = bed.persistentVolumeOf(volume);
        assertEquals("csi.larder.dev", made.getSpec().getCsi().getDriver());
        assertEquals(volume.getStatus().volumeId(), made.getSpec().getCsi().getVolumeHandle());
        assertEquals("Retain", made.getSpec().getPersistentVolumeReclaimPolicy());
        for (var reference : new io.fabric8.kubernetes.api.model.SecretReference[] {
            made.getSpec().getCsi().getNodeStageSecretRef(),
            made.getSpec().getCsi().getNodePublishSecretRef()
        }) {
            assertEquals(volume.getStatus().persistentVolume(), reference.getName());
            assertEquals(Bed.RELEASE, reference.getNamespace());
        }
        assertEquals("Bound", bed.claim("bound").getStatus().getPhase());
        assertEquals(made.getMetadata().getName(), bed.claim("bound").getSpec().getVolumeName());
        assertEquals(
                "2Gi",
                bed.claim("bound").getStatus().getCapacity().get("storage").toString());
    }

    @Test
    void inABucket() throws Exception {
        bed.volume("data", "{capacity: 1Gi, objectStore: bucket}");
        SharedVolume volume = bed.awaitReady("data");
        UUID id = Bed.id(volume);
        Secret secret = bed.secretOf(volume);
        VolumeAccess access = access(secret);
        assertEquals("larder/" + id + "/", access.objectStore().s3().prefix());
        assertEquals(Bed.BUCKET, access.objectStore().s3().bucket());
        assertTrue(access.objectStore().s3().pathStyle());
        assertEquals("crc32c", access.objectStore().s3().checksum());
        assertEquals(
                "accessKeyId=" + S3Server.ACCESS_KEY + "\nsecretAccessKey=" + S3Server.SECRET_KEY + "\n",
                SecretValues.get(secret, VolumeAccess.S3_CREDENTIALS));
        Keys keys = new Keys(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null, null);
        try (Bucket bucket =
                new Bucket("bucket", bed.objectStore("bucket").getSpec().s3(), keys)) {
            assertEquals("data", bucket.owner(id).orElseThrow().name());
            assertTrue(bucket.isEmpty(id));
        }
    }

    @Test
    void anExternalClaimGetsASecretNamedAfterItsVolume() {
        String name = "pvc-0d3ad3ce-33f2-4b52-9a4b-2d8f3b8f9a10";
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata: {name: external, namespace: team-a, annotations: {larder.dev/persistent-volume: %s}}
                spec: {capacity: 1Gi, claim: External}
                """.formatted(name));
        SharedVolume volume = bed.awaitReady("external");
        assertEquals(name, volume.getStatus().persistentVolume());
        assertNotNull(bed.secretOf(volume));
        assertEquals(null, bed.persistentVolumeOf(volume));
        assertEquals(null, bed.claim("external"));
    }
}
