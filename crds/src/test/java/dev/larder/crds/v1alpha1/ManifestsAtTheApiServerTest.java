package dev.larder.crds.v1alpha1;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A wrong manifest is refused by a real API server, with a sentence. */
@Tag(KubeApiServer.TAG)
class ManifestsAtTheApiServerTest {
    @TempDir
    static Path directory;

    private static KubeApiServer server;
    private static KubernetesClient client;

    @BeforeAll
    static void start() throws IOException {
        server = KubeApiServer.start(directory);
        client = server.administrator();
        server.installKinds(client);
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static HasMetadata create(String kind, String name, String spec) {
        String yaml = "apiVersion: larder.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name
                + (kind.equals("SharedVolume") || kind.equals("CacheWarmup") ? ", namespace: default" : "")
                + "}\nspec: " + spec + "\n";
        return client.resource(yaml)
                .fieldValidation(io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation.STRICT)
                .create();
    }

    private static String refusal(Runnable call) {
        return assertThrows(KubernetesClientException.class, call::run).getMessage();
    }

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "SharedVolume | a | {} | spec.capacity: Required value",
                "SharedVolume | a.b | {capacity: 1Gi} | metadata.name must be a DNS label",
                "SharedVolume | a | {capacity: much} | capacity must be a quantity such as 100Gi",
                "SharedVolume | a | {capacity: 0} | capacity must be a quantity such as 100Gi, more than zero",
                "SharedVolume | a | {capacity: 9Ei} | less than 8Ei",
                "SharedVolume | a | {capacity: 1Gi, inodes: 0} | spec.inodes",
                "SharedVolume | a | {capacity: 1Gi, trash: soon} | spec.trash",
                "SharedVolume | a | {capacity: 1Gi, consistency: eventual} | supported values: \"bounded\", \"closeToOpen\"",
                "SharedVolume | a | {capacity: 1Gi, durability: never} | supported values",
                "SharedVolume | a | {capacity: 1Gi, compression: gzip} | supported values",
                "SharedVolume | a | {capacity: 1Gi, claim: Mine} | supported values: \"External\", \"Managed\"",
                "SharedVolume | a | {capacity: 1Gi, deletionPolicy: Recycle} | supported values",
                "SharedVolume | a | {capacity: 1Gi, accessModes: [ReadWriteMany, ReadWriteOncePod]} | ReadWriteOncePod stands alone",
                "SharedVolume | a | {capacity: 1Gi, accessModes: []} | spec.accessModes",
                "SharedVolume | a | {capacity: 1Gi, mountOptions: {patience: 1s}} | patience must be a time from 5s to 1h",
                "SharedVolume | a | {capacity: 1Gi, mountOptions: {patience: 2h}} | patience must be a time from 5s to 1h",
                "SharedVolume | a | {capacity: 1Gi, metadataStore: No_Name} | spec.metadataStore",
                "SharedVolume | a | {capacity: 1Gi, adopt: me} | spec.adopt",
                "SharedVolume | a | {capacity: 1Gi, bucket: other} | unknown field \"spec.bucket\"",
                "SharedVolume | a | {capacity: 1Gi, prefix: other/} | unknown field \"spec.prefix\"",
                "SharedVolume | a | {capacity: 1Gi, database: other} | unknown field \"spec.database\"",
                "MetadataStore | a | {} | spec.postgres: Required value",
                "MetadataStore | a | {postgres: {url: \"postgresql://db\"}} | spec.postgres.secretRef: Required value",
                "MetadataStore | a | {postgres: {url: \"http://db\", secretRef: {name: s}}} | spec.postgres.url",
                "MetadataStore | a | {postgres: {url: \"postgresql://u:p@db\", secretRef: {name: s}}} | spec.postgres.url",
                "MetadataStore | a | {postgres: {url: \"postgresql://db?user=me\", secretRef: {name: s}}} | put both into the Secret",
                "MetadataStore | a | {postgres: {url: \"postgresql://db?sslrootcert=/ca\", secretRef: {name: s}}} | put the certificates into caBundle",
                "MetadataStore | a | {postgres: {url: \"postgresql://db\", secretRef: {name: s}, caBundle: none}} | spec.postgres.caBundle",
                "MetadataStore | a | {postgres: {url: \"postgresql://db\", secretRef: {name: s, namespace: x}}} | unknown field",
                "MetadataStore | a | {postgres: {url: \"postgresql://db?sslmode=verify-full\", secretRef: {name: s}}} | caBundle is needed",
                "MetadataStore | a | {postgres: {url: \"postgresql://db\", secretRef: {name: s}}, allowedNamespaces: [A_B]} | spec.allowedNamespaces[0]",
                "ObjectStore | a | {} | give exactly one of s3, postgres and directory",
                "ObjectStore | a | {postgres: {}, s3: {bucket: some}} | give exactly one of s3, postgres and directory",
                "ObjectStore | a | {s3: {}} | spec.s3.bucket: Required value",
                "ObjectStore | a | {s3: {bucket: X}} | spec.s3.bucket",
                "ObjectStore | a | {s3: {bucket: some, prefix: ../}} | spec.s3.prefix",
                "ObjectStore | a | {s3: {bucket: some, prefix: no-slash}} | spec.s3.prefix",
                "ObjectStore | a | {s3: {bucket: some, endpoint: minio}} | spec.s3.endpoint",
                "ObjectStore | a | {s3: {bucket: some, checksum: md5}} | supported values",
                "ObjectStore | a | {s3: {bucket: some, credentials: {}}} | secretRef: Required value",
                "ObjectStore | a | {s3: {bucket: some, credentials: {type: assumeRole, secretRef: {name: s}}}} | assumeRole needs roleArn",
                "ObjectStore | a | {s3: {bucket: some, credentials: {roleArn: \"arn:x\", secretRef: {name: s}}}} | belong to type: assumeRole",
                "ObjectStore | a | {s3: {bucket: some, credentials: {type: assumeRole, durationSeconds: 60, roleArn: \"arn:x\", secretRef: {name: s}}}} | durationSeconds",
                "ObjectStore | a | {directory: {path: /data}} | shared",
                "ObjectStore | a | {directory: {path: /data, shared: false}} | directory needs shared: true",
                "ObjectStore | a | {directory: {path: data, shared: true}} | spec.directory.path",
                "ObjectStore | a | {directory: {path: /data/.., shared: true}} | spec.directory.path",
                "CacheWarmup | a | {} | spec.volume: Required value",
                "CacheWarmup | a | {volume: v, paths: [data]} | spec.paths[0]",
            })
    void aWrongManifestIsRefused(String kind, String name, String spec, String sentence) {
        String message = refusal(() -> create(kind, name, spec));
        assertTrue(message.contains(sentence), message);
    }

    @Test
    void defaultsAreFilledIn() {
        create("SharedVolume", "defaults", "{capacity: 1Gi, mountOptions: {}}");
        SharedVolumeSpec spec = client.resources(SharedVolume.class)
                .inNamespace("default")
                .withName("defaults")
                .get()
                .getSpec();
        assertEquals(
                "1d closeToOpen onFsync none Managed [ReadWriteMany] Retain 2m",
                String.join(
                        " ",
                        spec.trash(),
                        spec.consistency().text(),
                        spec.durability().text(),
                        spec.compression().text(),
                        spec.claim().name(),
                        spec.accessModes().toString(),
                        spec.deletionPolicy().name(),
                        spec.mountOptions().patience()));
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "metadata | {\"spec\":{\"metadataStore\":\"other\"}} | metadataStore cannot be changed",
                "objects | {\"spec\":{\"objectStore\":null}} | objectStore cannot be changed",
                "claim | {\"spec\":{\"claim\":\"External\"}} | claim cannot be changed",
                "modes | {\"spec\":{\"accessModes\":[\"ReadWriteOnce\"]}} | accessModes cannot be changed",
                "adopt | {\"spec\":{\"adopt\":\"00000000-0000-0000-0000-000000000000\"}} | adopt cannot be changed",
                "shrink | {\"spec\":{\"capacity\":\"1023Mi\"}} | capacity may only grow",
            })
    void aVolumeCannotMove(String name, String patch, String sentence) {
        create("SharedVolume", name, "{capacity: 1Gi, metadataStore: m, objectStore: o}");
        String merge = patch.replace("\\", "");
        String message = refusal(() -> client.resources(SharedVolume.class)
                .inNamespace("default")
                .withName(name)
                .patch(PatchContext.of(PatchType.JSON_MERGE), merge));
        assertTrue(message.contains(sentence), message);
    }

    @Test
    void aVolumeMayGrowAndChangeItsPromises() {
        create("SharedVolume", "grows", "{capacity: 1Gi}");
        SharedVolume grown = client.resources(SharedVolume.class)
                .inNamespace("default")
                .withName("grows")
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"spec\":{\"capacity\":\"1.5Gi\",\"trash\":\"0\",\"deletionPolicy\":\"Delete\"}}");
        assertEquals("1.5Gi", grown.getSpec().capacity().toString());
    }

    @Test
    void aStoreStaysWhereItsVolumesAre() {
        create("ObjectStore", "stays", "{s3: {bucket: some, prefix: a/}}");
        for (String patch : new String[] {
            "{\"spec\":{\"s3\":{\"bucket\":\"other\"}}}",
            "{\"spec\":{\"s3\":{\"prefix\":\"b/\"}}}",
            "{\"spec\":{\"s3\":null,\"postgres\":{}}}"
        }) {
            String message = refusal(() -> client.resources(ObjectStore.class)
                    .withName("stays")
                    .patch(PatchContext.of(PatchType.JSON_MERGE), patch));
            assertTrue(message.contains("cannot be changed"), message);
        }
    }

    @Test
    void everyStoreOfTheDocumentationIsTaken() {
        create("ObjectStore", "in-postgres", "{postgres: {}, allowedNamespaces: [team-a]}");
        create("ObjectStore", "in-directory", "{directory: {path: /srv/larder, shared: true}}");
        create(
                "ObjectStore",
                "in-bucket",
                "{s3: {endpoint: 'http://minio:9000', bucket: some, credentials: {type: assumeRole, roleArn: 'arn:minio:iam:::role/x', secretRef: {name: keys}}, proxy: {url: 'http://proxy:3128', noProxy: [a]}, storageClass: STANDARD_IA}}");
        create(
                "MetadataStore",
                "server",
                "{postgres: {url: 'postgresql://a:1,b:2/postgres?sslmode=verify-full', secretRef: {name: admin}, caBundle: \"-----BEGIN CERTIFICATE-----\\nx\\n-----END CERTIFICATE-----\\n\"}}");
        assertEquals(
                3,
                client.resources(ObjectStore.class).list().getItems().stream()
                        .filter(store -> store.getMetadata().getName().startsWith("in-"))
                        .count());
    }
}
