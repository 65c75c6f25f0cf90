package dev.larder.csi.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeStatus;
import dev.larder.crds.v1alpha1.SharedVolumeStatus.Phase;
import dev.larder.csi.CsiException;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SharedVolumes of claims at a real API server; the test writes the status, as the operator does. */
@Tag(KubeApiServer.TAG)
class ClusterVolumesTest {
    private static final long GIB = 1L << 30;
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static KubeApiServer server;
    private static KubernetesClient client;
    private static ClusterVolumes volumes;

    @BeforeAll
    static void start() throws IOException {
        server = KubeApiServer.start(directory);
        client = server.administrator();
        server.installKinds(client);
        volumes = new ClusterVolumes(client);
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static WantedVolume wanted(String csiName, String namespace) {
        Map<String, String> parameters = Map.of(
                "csi.storage.k8s.io/pvc/namespace", namespace,
                "csi.storage.k8s.io/pvc/name", "data",
                "metadataStore", "postgres");
        return new WantedVolume(
                ClaimNames.of(csiName, parameters, "larder"),
                VolumeSettings.parse(parameters),
                List.of("ReadWriteMany"),
                10 * GIB);
    }

    private static void operate(VolumeObject volume, Phase phase, String capacity) {
        SharedVolume there = client.resources(SharedVolume.class)
                .inNamespace(volume.namespace())
                .withName(volume.name())
                .get();
        String id = there.getStatus() == null || there.getStatus().volumeId() == null
                ? UUID.randomUUID().toString()
                : there.getStatus().volumeId();
        String ready = phase == Phase.Ready ? "True" : "False";
        there.setStatus(new SharedVolumeStatus(
                phase,
                List.of(new ConditionBuilder()
                        .withType("Ready")
                        .withStatus(ready)
                        .withReason("StoreNotReady")
                        .withMessage("the bucket does not answer")
                        .withLastTransitionTime("2026-01-01T00:00:00Z")
                        .build()),
                1L,
                id,
                "postgres",
                "s3",
                null,
                null,
                capacity,
                "0",
                1L,
                0));
        client.resource(there).updateStatus();
    }

    @Test
    void whatIsWrittenIsReadBack() {
        WantedVolume wanted = wanted("pvc-1", "default");
        VolumeObject made = volumes.create(wanted);
        assertEquals(made, volumes.create(wanted));
        assertEquals(made, volumes.find("default", made.name()));
        assertEquals("pvc-1", made.csiName());
        assertEquals(wanted.settings(), made.settings());
        assertEquals(10 * GIB, made.capacityBytes());
        assertNull(made.volume());
        assertFalse(made.ready());
        SharedVolume object = client.resources(SharedVolume.class)
                .inNamespace("default")
                .withName(made.name())
                .get();
        assertEquals("10Gi", object.getSpec().capacity().toString());
        assertEquals("pvc-1", object.getMetadata().getAnnotations().get("larder.dev/persistent-volume"));
        assertEquals("default/data", object.getMetadata().getAnnotations().get("larder.dev/claim"));
    }

    @Test
    void waitsForTheOperatorAndSaysWhatKeepsIt() throws Exception {
        VolumeObject made = volumes.create(wanted("pvc-2", "default"));
        operate(made, Phase.Pending, null);
        VolumeObject late = volumes.await("default", made.name(), VolumeObject::ready, Duration.ofMillis(300));
        assertFalse(late.ready());
        assertEquals("StoreNotReady: the bucket does not answer", late.problem());
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<VolumeObject> waiting =
                    executor.submit(() -> volumes.await("default", made.name(), VolumeObject::ready, LONG));
            operate(made, Phase.Ready, "10Gi");
            VolumeObject ready = waiting.get(LONG.toSeconds(), TimeUnit.SECONDS);
            assertTrue(ready.ready());
            assertEquals(10 * GIB, ready.servedBytes());
            assertEquals(ready, volumes.find(ready.volume()));
            assertTrue(volumes.list().contains(ready));
        }
    }

    @Test
    void growsAndIsNotLowered() {
        VolumeObject made = volumes.create(wanted("pvc-3", "default"));
        volumes.grow(made, 20 * GIB + 1);
        assertEquals(20 * GIB + 1, volumes.find("default", made.name()).capacityBytes());
        CsiException refused = assertThrows(CsiException.class, () -> volumes.grow(made, GIB));
        assertEquals(Status.Code.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains("may only grow"), refused.getMessage());
    }

    @Test
    void deletesThatOneAndNoOther() {
        VolumeObject first = volumes.create(wanted("pvc-4", "default"));
        volumes.delete(first);
        assertNull(volumes.await("default", first.name(), volume -> volume == null, LONG));
        VolumeObject second = volumes.create(wanted("pvc-4", "default"));
        volumes.delete(first);
        assertNotNull(volumes.find("default", second.name()));
        volumes.delete(second);
        assertNull(volumes.find("default", second.name()));
        volumes.delete(second);
    }

    @Test
    void refusalsAreNotTheEnd() {
        CsiException noNamespace =
                assertThrows(CsiException.class, () -> volumes.create(wanted("pvc-5", "no-such-namespace")));
        assertEquals(Status.Code.UNAVAILABLE, noNamespace.code());
        try (KubernetesClient stranger = server.serviceAccount("default", "stranger")) {
            CsiException forbidden = assertThrows(CsiException.class, () -> new ClusterVolumes(stranger).list());
            assertEquals(Status.Code.UNAVAILABLE, forbidden.code());
            assertTrue(forbidden.next().contains("clusterrole"), forbidden.next());
        }
    }

    @Test
    void quantitiesAreExact() {
        assertEquals("1Gi", VolumeForm.quantity(GIB));
        assertEquals("1025Mi", VolumeForm.quantity(GIB + (1 << 20)));
        assertEquals("1073741825", VolumeForm.quantity(GIB + 1));
        assertEquals("1Ei", VolumeForm.quantity(1L << 60));
    }
}
