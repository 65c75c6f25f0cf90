package dev.larder.e2e.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What every other test on the cluster takes for granted. */
@Tag("cluster")
final class ClusterTest {
    private static final String NAMESPACE = "cluster-test";
    private static final List<String> NODES = List.of("n1", "n2", "n3");
    private static final String GPU_NODE = "n3";

    @RegisterExtension
    static final Cluster CLUSTER = new Cluster();

    @BeforeAll
    static void makePods() {
        CLUSTER.createNamespace(NAMESPACE);
        CLUSTER.apply(everywhere(
                "mounter",
                "Bidirectional",
                true,
                "mkdir -p /shared/mount; mount -t tmpfs made /shared/mount; "
                        + "echo $NODE > /shared/mount/node; trap 'umount /shared/mount; exit' TERM"));
        CLUSTER.awaitRollout(NAMESPACE, "daemonset/mounter");
        CLUSTER.apply(everywhere("reader", "HostToContainer", false, "trap exit TERM"));
        CLUSTER.awaitRollout(NAMESPACE, "daemonset/reader");
    }

    @AfterAll
    static void deletePods() {
        CLUSTER.deleteNamespace(NAMESPACE);
    }

    @Test
    void threeNodesAreReady() {
        List<String> names = CLUSTER.client().nodes().list().getItems().stream()
                .map(node -> node.getMetadata().getName())
                .toList();
        assertEquals(NODES, names);
        NODES.forEach(node -> assertTrue(CLUSTER.isReady(node), node));
    }

    @Test
    void podRunsOnEachNode() {
        List<String> nodes = CLUSTER.pods(NAMESPACE, "app", "reader").stream()
                .map(pod -> CLUSTER.exec(NAMESPACE, pod.getMetadata().getName(), "sh", "-c", "echo $NODE")
                        .strip())
                .toList();
        assertEquals(NODES, nodes);
    }

    @Test
    void nodeHasACacheDiskOfItsOwn() {
        for (String node : NODES) {
            assertEquals(
                    "ext4",
                    CLUSTER.onNode(node, "findmnt", "--noheadings", "--output=FSTYPE", "/var/lib/larder/cache")
                            .strip());
        }
    }

    @Test
    void serviceIsReachedByItsName() {
        Pod reader = CLUSTER.pods(NAMESPACE, "app", "reader").getFirst();
        String answer = CLUSTER.exec(
                NAMESPACE, reader.getMetadata().getName(), "nslookup", "kubernetes.default.svc.cluster.local");
        assertTrue(answer.contains("10.96.0.1"), answer);
    }

    @Test
    void nameOutsideTheClusterDoesNotExist() {
        Pod reader = CLUSTER.pods(NAMESPACE, "app", "reader").getFirst();
        assertNotEquals(
                0,
                CLUSTER.run(
                                "kubectl",
                                "-n",
                                NAMESPACE,
                                "exec",
                                reader.getMetadata().getName(),
                                "--",
                                "nslookup",
                                "example.org.")
                        .exit());
    }

    /** A mount of a privileged pod is seen by one without rights, on every node: what csi-node does for its users. */
    @Test
    void mountPropagatesFromAPrivilegedPod() {
        for (Pod reader : CLUSTER.pods(NAMESPACE, "app", "reader")) {
            String seen = CLUSTER.exec(NAMESPACE, reader.getMetadata().getName(), "cat", "/shared/mount/node");
            assertEquals(reader.getSpec().getNodeName(), seen.strip());
        }
    }

    @Test
    void gpusAreAdvertisedAndTainted() {
        Node node = CLUSTER.client().nodes().withName(GPU_NODE).get();
        assertEquals(new Quantity("4"), node.getStatus().getAllocatable().get("nvidia.com/gpu"));
        assertEquals("true", node.getMetadata().getLabels().get("nvidia.com/gpu.present"));
        assertTrue(
                node.getSpec().getTaints().stream()
                        .anyMatch(taint -> taint.getKey().equals("nvidia.com/gpu")
                                && taint.getValue().equals("present")
                                && taint.getEffect().equals("NoSchedule")),
                () -> node.getSpec().getTaints().toString());
    }

    @Test
    void podThatAsksForGpusGetsThemWhenItToleratesTheTaint() {
        CLUSTER.apply(gpuPod("gpu", "[{key: nvidia.com/gpu, operator: Exists}]"));
        Pod pod = CLUSTER.awaitReady(NAMESPACE, "gpu");
        assertEquals(GPU_NODE, pod.getSpec().getNodeName());
        String devices = CLUSTER.exec(NAMESPACE, "gpu", "sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES");
        assertEquals(2, devices.split(",").length, devices);
    }

    @Test
    void podThatDoesNotTolerateTheTaintStaysPending() {
        CLUSTER.apply(gpuPod("gpu-intolerant", "[]"));
        Cluster.await(
                "gpu-intolerant is unschedulable",
                () -> CLUSTER
                        .client()
                        .pods()
                        .inNamespace(NAMESPACE)
                        .withName("gpu-intolerant")
                        .get()
                        .getStatus()
                        .getConditions()
                        .stream()
                        .anyMatch(condition -> "Unschedulable".equals(condition.getReason())));
    }

    @Test
    void nodeThatLosesItsPowerComesBack() {
        CLUSTER.stopNode("n2");
        try {
            CLUSTER.awaitNode("n2", false);
        } finally {
            CLUSTER.startNode("n2");
        }
        CLUSTER.awaitNode("n2", true);
        CLUSTER.awaitRollout(NAMESPACE, "daemonset/mounter");
        CLUSTER.awaitRollout(NAMESPACE, "daemonset/reader");
    }

    /** A DaemonSet that runs a script on every node, with a directory of the node at /shared. */
    private static String everywhere(String name, String propagation, boolean privileged, String script) {
        return """
                apiVersion: apps/v1
                kind: DaemonSet
                metadata: {name: %1$s, namespace: cluster-test}
                spec:
                  selector: {matchLabels: {app: %1$s}}
                  template:
                    metadata: {labels: {app: %1$s}}
                    spec:
                      tolerations: [{key: nvidia.com/gpu, operator: Exists}]
                      terminationGracePeriodSeconds: 3
                      containers:
                      - name: %1$s
                        image: %2$s
                        command: [sh, -c, "%3$s; while :; do sleep 1; done"]
                        env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
                        securityContext: {privileged: %4$s}
                        volumeMounts: [{name: shared, mountPath: /shared, mountPropagation: %5$s}]
                      volumes:
                      - name: shared
                        hostPath: {path: /var/lib/cluster-test, type: DirectoryOrCreate}
                """.formatted(name, Cluster.BUSYBOX, script, privileged, propagation);
    }

    private static String gpuPod(String name, String tolerations) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: cluster-test}
                spec:
                  tolerations: %s
                  terminationGracePeriodSeconds: 0
                  containers:
                  - name: sleep
                    image: %s
                    command: [sleep, "3600"]
                    resources: {limits: {nvidia.com/gpu: 2}}
                """.formatted(name, tolerations, Cluster.BUSYBOX);
    }
}
