package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.protocol.VolumeAccess;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the operator may not do, and where its secrets never are. */
@Tag(KubeApiServer.TAG)
class SecurityTest {
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

    @ParameterizedTest
    @ValueSource(strings = {Bed.TEAM, "default", "kube-system"})
    void itReadsNoSecretOutsideItsNamespace(String namespace) {
        try (KubernetesClient operator = bed.server.serviceAccount(Bed.RELEASE, "larder-operator")) {
            KubernetesClientException e = assertThrows(
                    KubernetesClientException.class,
                    () -> operator.secrets().inNamespace(namespace).list());
            assertEquals(403, e.getCode());
        }
    }

    @Test
    void itStartsNoPodsAndGrantsNoRights() {
        try (KubernetesClient operator = bed.server.serviceAccount(Bed.RELEASE, "larder-operator")) {
            for (Runnable call : new Runnable[] {
                () -> operator.pods().inNamespace(Bed.RELEASE).list(),
                () -> operator.apps().daemonSets().inNamespace(Bed.RELEASE).list(),
                () -> operator.rbac().roles().inNamespace(Bed.RELEASE).list(),
                () -> operator.nodes().list(),
                () -> operator.namespaces().withName(Bed.TEAM).get(),
            }) {
                assertEquals(
                        403,
                        assertThrows(KubernetesClientException.class, call::run).getCode());
            }
        }
    }

    @Test
    void noSecretIsShown() throws Exception {
        bed.volume("quiet", "{capacity: 1Gi, objectStore: bucket}");
        SharedVolume volume = bed.awaitReady("quiet");
        String password = SecretValues.get(bed.secretOf(volume), VolumeAccess.PASSWORD);
        bed.awaitEvent(Bed.TEAM, "Ready", "pods can mount it");
        StringBuilder shown = new StringBuilder();
        shown.append(bed.client
                .getKubernetesSerialization()
                .asYaml(bed.volume("quiet").get()));
        shown.append(bed.client.getKubernetesSerialization().asYaml(bed.persistentVolumeOf(volume)));
        shown.append(bed.client.getKubernetesSerialization().asYaml(bed.claim("quiet")));
        shown.append(bed.client.getKubernetesSerialization().asYaml(bed.metadataStore("main")));
        shown.append(bed.client.getKubernetesSerialization().asYaml(bed.objectStore("bucket")));
        bed.client
                .events()
                .v1()
                .events()
                .inAnyNamespace()
                .list()
                .getItems()
                .forEach(event -> shown.append(event.getNote()).append('\n'));
        assertTrue(shown.toString().contains("quiet"));
        for (String secret : new String[] {password, bed.database.password(), S3Server.SECRET_KEY}) {
            assertFalse(shown.toString().contains(secret));
        }
        assertFalse(SecretValues.get(bed.secretOf(volume), VolumeAccess.FILE).contains(password));
        for (String key : bed.secretOf(volume).getData().keySet()) {
            assertFalse(SecretValues.get(bed.secretOf(volume), key).contains(bed.database.password()), key);
        }
    }
}
