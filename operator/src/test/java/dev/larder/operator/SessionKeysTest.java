package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.protocol.VolumeAccess;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** With assumeRole, the keys of one volume are refused for another; they are renewed before they die. */
@Tag(KubeApiServer.TAG)
class SessionKeysTest {
    @TempDir
    static Path directory;

    @TempDir
    static Path data;

    private static Bed bed;
    private static MinioServer minio;
    private static ObjectStoreSpec.S3 spec;

    @BeforeAll
    static void start() throws Exception {
        Files.createDirectory(data.resolve(Bed.BUCKET));
        minio = new MinioServer(data);
        bed = new Bed(directory);
        bed.startOperator();
        bed.makeStores();
        bed.secret("minio-keys", Map.of("accessKeyId", MinioServer.USER, "secretAccessKey", MinioServer.PASSWORD));
        bed.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: sessions}
                spec:
                  s3:
                    endpoint: "%s"
                    bucket: %s
                    prefix: v/
                    credentials:
                      type: assumeRole
                      roleArn: "arn:minio:iam:::role/unused"
                      secretRef: {name: minio-keys}
                """.formatted(minio.endpoint(), Bed.BUCKET));
        spec = bed.objectStore("sessions").getSpec().s3();
    }

    @AfterAll
    static void stop() {
        bed.close();
        minio.close();
    }

    private static Keys keys(Secret secret) {
        Map<String, String> lines = AccessSecret.keys(secret)
                .lines()
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf('=')), line -> line.substring(line.indexOf('=') + 1)));
        return new Keys(lines.get("accessKeyId"), lines.get("secretAccessKey"), lines.get("sessionToken"), null);
    }

    private static void put(S3Client client, String key) {
        client.putObject(put -> put.bucket(Bed.BUCKET).key(key), RequestBody.fromString("x"));
    }

    private static void refused(org.junit.jupiter.api.function.Executable call) {
        assertEquals(403, assertThrows(S3Exception.class, call).statusCode());
    }

    @Test
    void theKeysOfOneVolumeAreRefusedForAnother() {
        bed.volume("a", "{capacity: 1Gi, objectStore: sessions}");
        bed.volume("b", "{capacity: 1Gi, objectStore: sessions}");
        SharedVolume a = bed.awaitReady("a");
        SharedVolume b = bed.awaitReady("b");
        String own = Bucket.prefix(spec, Bed.id(a));
        String other = Bucket.prefix(spec, Bed.id(b));
        Keys keys = keys(bed.secretOf(a));
        assertTrue(keys.sessionToken() != null && !keys.accessKeyId().equals(MinioServer.USER));
        try (S3Client client = S3Clients.open(spec, keys);
                S3Client root = S3Clients.open(spec, new Keys(MinioServer.USER, MinioServer.PASSWORD, null, null))) {
            put(root, other + "theirs");
            put(client, own + "x/1");
            assertEquals(
                    1,
                    client.listObjectsV2(list -> list.bucket(Bed.BUCKET).prefix(own))
                            .contents()
                            .size());
            client.deleteObject(delete -> delete.bucket(Bed.BUCKET).key(own + "x/1"));
            refused(() -> put(client, other + "mine"));
            refused(() -> client.getObjectAsBytes(get -> get.bucket(Bed.BUCKET).key(other + "theirs")));
            refused(() ->
                    client.deleteObject(delete -> delete.bucket(Bed.BUCKET).key(other + "theirs")));
            refused(() -> client.listObjectsV2(list -> list.bucket(Bed.BUCKET).prefix(other)));
            refused(() -> client.listObjectsV2(list -> list.bucket(Bed.BUCKET)));
            refused(() -> put(client, "v/" + Bed.id(a) + ".owner.json"));
            refused(() -> client.getObjectAsBytes(get -> get.bucket(Bed.BUCKET).key("v/" + Bed.id(a) + ".owner.json")));
        }
    }

    @Test
    void theKeysAreRenewedAtHalfOfTheirLife() throws Exception {
        bed.volume("renewed", "{capacity: 1Gi, objectStore: sessions}");
        SharedVolume volume = bed.awaitReady("renewed");
        Secret first = bed.secretOf(volume);
        Instant due = AccessSecret.renewKeysAt(first).orElseThrow();
        Duration until = Duration.between(Instant.now(), due);
        assertTrue(until.compareTo(Duration.ofMinutes(31)) < 0 && until.compareTo(Duration.ofMinutes(25)) > 0);
        bed.client.resource(first).edit(secret -> {
            secret.getMetadata().getAnnotations().put(AccessSecret.RENEW_KEYS, "2026-01-01T00:00:00Z");
            return secret;
        });
        Secret second = bed.client
                .secrets()
                .inNamespace(Bed.RELEASE)
                .withName(first.getMetadata().getName())
                .waitUntilCondition(
                        secret -> !AccessSecret.keys(secret).equals(AccessSecret.keys(first)),
                        60,
                        java.util.concurrent.TimeUnit.SECONDS);
        assertTrue(AccessSecret.generation(second) > AccessSecret.generation(first));
        assertEquals(AccessSecret.password(first), AccessSecret.password(second));
        assertNotEquals(SecretValues.get(first, VolumeAccess.FILE), SecretValues.get(second, VolumeAccess.FILE));
        try (S3Client client = S3Clients.open(spec, keys(second))) {
            put(client, Bucket.prefix(spec, Bed.id(volume)) + "after");
        }
    }
}
