package dev.larder.e2e.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What csi-node tells the cluster, as people see it. */
@Tag("cluster")
final class NodeReportsTest {
    private static final String NAMESPACE = "node-reports-test";
    private static final String API = "larder.dev/v1alpha1";
    private static final String TAINT = "larder.dev/agent-not-ready";
    private static final long FILE_BYTES = 16L << 20;

    @RegisterExtension
    static final Cluster CLUSTER = new Cluster();

    private static String volumeId;

    @BeforeAll
    static void writeOnOneNode() {
        Release.install(CLUSTER);
        CLUSTER.createNamespace(NAMESPACE);
        CLUSTER.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata: {name: data, namespace: %s}
                spec: {capacity: 1Gi}
                """.formatted(NAMESPACE));
        Cluster.await(
                "the SharedVolume is Ready", () -> "Ready".equals(status("SharedVolume", NAMESPACE, "data", "phase")));
        volumeId = (String) status("SharedVolume", NAMESPACE, "data", "volumeId");
        for (String node : List.of("n1", "n2")) {
            CLUSTER.apply(pod("user-" + node, node));
        }
        for (String node : List.of("n1", "n2")) {
            CLUSTER.awaitReady(NAMESPACE, "user-" + node);
        }
        CLUSTER.exec(
                NAMESPACE,
                "user-n1",
                "sh",
                "-c",
                "mkdir /data/read /data/warm; for d in read warm; do"
                        + " dd if=/dev/urandom of=/data/$d/file bs=1M count=16; done; sync");
    }

    @AfterAll
    static void deleteAll() {
        CLUSTER.deleteNamespace(NAMESPACE);
    }

    private static String pod(String name, String node) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: %s}
                spec:
                  nodeName: %s
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: main
                      image: %s
                      command: [sh, -c, "trap exit TERM; while :; do sleep 1; done"]
                      volumeMounts: [{name: data, mountPath: /data}]
                  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
                """.formatted(name, NAMESPACE, node, Cluster.BUSYBOX);
    }

    /** A field of the status, or null. */
    private static Object status(String kind, String namespace, String name, Object... path) {
        var resources = CLUSTER.client().genericKubernetesResources(API, kind);
        GenericKubernetesResource found = namespace == null
                ? resources.withName(name).get()
                : resources.inNamespace(namespace).withName(name).get();
        if (found == null) {
            return null;
        }
        Object[] whole = new Object[path.length + 1];
        whole[0] = "status";
        System.arraycopy(path, 0, whole, 1, path.length);
        return found.get(whole);
    }

    private static long cachedBytes(String node) {
        Object cached = status("NodeCache", null, node, "volumes", volumeId, "cachedBytes");
        return cached == null ? 0 : ((Number) cached).longValue();
    }

    @Test
    void aNodeCacheShowsWhatAPodRead() {
        readOnTheOtherNode();
        assertEquals(NAMESPACE + "/data", status("NodeCache", null, "n2", "volumes", volumeId, "volume"));
        assertEquals("True", status("NodeCache", null, "n2", "conditions", 0, "status"));
        assertTrue(Long.parseLong((String) status("NodeCache", null, "n2", "capacity")) > FILE_BYTES);
    }

    private static void readOnTheOtherNode() {
        CLUSTER.exec(NAMESPACE, "user-n2", "sh", "-c", "cat /data/read/file >/dev/null");
        Cluster.await("the file is in NodeCache n2", () -> cachedBytes("n2") >= FILE_BYTES);
    }

    @Test
    void aCacheWarmupFetchesOnTheNodesItSelects() {
        readOnTheOtherNode();
        CLUSTER.apply("""
                apiVersion: larder.dev/v1alpha1
                kind: CacheWarmup
                metadata: {name: warm, namespace: %s}
                spec: {volume: data, paths: [/warm], nodeSelector: {kubernetes.io/hostname: n2}}
                """.formatted(NAMESPACE));
        Cluster.await("the CacheWarmup is Done on n2", () -> "Done".equals(warmed("n2", "phase")));
        assertEquals(FILE_BYTES, ((Number) warmed("n2", "doneBytes")).longValue());
        assertEquals(FILE_BYTES, ((Number) warmed("n2", "totalBytes")).longValue());
        Cluster.await("its bytes are in NodeCache n2", () -> cachedBytes("n2") >= 2 * FILE_BYTES);
        assertEquals(null, warmed("n1", "phase"));
    }

    private static Object warmed(String node, String field) {
        return status("CacheWarmup", NAMESPACE, "warm", "nodes", node, field);
    }

    /** The token that kubelet gives to a pod names the pod's node. */
    @Test
    void aTokenWritesItsOwnNodesObjectsAlone() {
        Pod plugin = CLUSTER.pods(Release.NAMESPACE, "app.kubernetes.io/component", "csi-node")
                .getFirst();
        assertEquals("n1", plugin.getSpec().getNodeName());
        String token = CLUSTER.kubectl(
                "create",
                "token",
                "larder-csi-node",
                "--namespace=" + Release.NAMESPACE,
                "--bound-object-kind=Pod",
                "--bound-object-name=" + plugin.getMetadata().getName());
        Cluster.await(
                "n1 and n2 have a NodeCache",
                () -> status("NodeCache", null, "n1", "observed") != null
                        && status("NodeCache", null, "n2", "observed") != null);
        Config administrator = CLUSTER.client().getConfiguration();
        Config config = new ConfigBuilder(Config.empty())
                .withMasterUrl(administrator.getMasterUrl())
                .withCaCertData(administrator.getCaCertData())
                .withCaCertFile(administrator.getCaCertFile())
                .withOauthToken(token.strip())
                .withRequestRetryBackoffLimit(0)
                .build();
        try (KubernetesClient client =
                new KubernetesClientBuilder().withConfig(config).build()) {
            writeStatus(client, "n1");
            KubernetesClientException refused =
                    assertThrows(KubernetesClientException.class, () -> writeStatus(client, "n2"));
            assertEquals(403, refused.getCode());
            assertTrue(refused.getMessage().contains("may write nodecaches 'n1' alone"), refused.getMessage());
            refused = assertThrows(
                    KubernetesClientException.class,
                    () -> client.secrets().inNamespace(Release.NAMESPACE).list());
            assertEquals(403, refused.getCode());
        }
    }

    private static void writeStatus(KubernetesClient client, String node) {
        client.genericKubernetesResources(API, "NodeCache")
                .withName(node)
                .subresource("status")
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"status\":{\"observed\":\"2026-01-01T00:00:00Z\"}}");
    }

    /** The agent of a node without volumes is killed again and again, so that none becomes ready. */
    @Test
    void aNodeWithoutAnAgentIsTaintedUntilOneIsThere() {
        String node = "n3";
        CLUSTER.onNode(node, "touch", "/run/no-agent");
        CompletableFuture<String> killing = CompletableFuture.supplyAsync(
                () -> CLUSTER.onNode(
                        node,
                        "sh",
                        "-c",
                        "for i in $(seq 400); do [ -e /run/no-agent ] || exit 0; pkill -9 -f '[N]odeAgentMain'; sleep 0.3; done"));
        try {
            Cluster.await("the node is tainted", () -> isTainted(node));
        } finally {
            CLUSTER.onNode(node, "rm", "-f", "/run/no-agent");
            killing.join();
        }
        Cluster.await("the taint is gone", () -> !isTainted(node));
        assertFalse(isTainted("n1"));
        Map<String, String> labels =
                CLUSTER.client().nodes().withName(node).get().getMetadata().getLabels();
        assertEquals("true", labels.get("nvidia.com/gpu.present"), "what else the Node has stays");
    }

    private static boolean isTainted(String node) {
        return CLUSTER.client().nodes().withName(node).get().getSpec().getTaints().stream()
                .anyMatch(taint -> taint.getKey().equals(TAINT));
    }
}
