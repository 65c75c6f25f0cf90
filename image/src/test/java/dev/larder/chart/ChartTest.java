package dev.larder.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the chart installs: rights, security contexts and settings that must never change unseen. */
@Tag("cluster")
final class ChartTest {
    private static final List<String> QUICK_START = List.of("-f", "values-quickstart.yaml");
    private static final Path RBAC = Path.of("../operator/src/main/resources/dev/larder/operator/rbac.yaml");
    private static final List<String> PRODUCTION = List.of("-f", "values-production.yaml");

    static Stream<List<String>> valueSets() {
        List<String> everything = new ArrayList<>(QUICK_START);
        everything.addAll(PRODUCTION);
        return Stream.of(List.of(), QUICK_START, PRODUCTION, everything);
    }

    private static List<JsonNode> render(List<String> options) throws Exception {
        return Chart.render(options.toArray(String[]::new));
    }

    private static List<JsonNode> containers(JsonNode workload) {
        List<JsonNode> all = new ArrayList<>(Chart.list(Chart.pod(workload).path("containers")));
        all.addAll(Chart.list(Chart.pod(workload).path("initContainers")));
        return all;
    }

    // ---- security

    @ParameterizedTest
    @MethodSource("valueSets")
    void allButTheNodesComponentsAreRestricted(List<String> values) throws Exception {
        int seen = 0;
        for (JsonNode workload : Chart.workloads(render(values))) {
            String name = Chart.name(workload);
            if (name.startsWith("larder-csi-node") || name.startsWith("larder-node-agent")) {
                continue;
            }
            seen++;
            JsonNode pod = Chart.pod(workload);
            JsonNode context = pod.path("securityContext");
            assertTrue(context.path("runAsNonRoot").asBoolean(), name);
            assertTrue(context.path("runAsUser").asInt() > 60_000, name);
            assertEquals(
                    "RuntimeDefault",
                    context.path("seccompProfile").path("type").asText(),
                    name);
            assertFalse(
                    pod.path("hostPID").asBoolean() || pod.path("hostNetwork").asBoolean(), name);
            for (JsonNode volume : pod.path("volumes")) {
                assertFalse(volume.has("hostPath"), name + ": " + volume);
            }
            for (JsonNode container : containers(workload)) {
                JsonNode own = container.path("securityContext");
                assertFalse(own.path("allowPrivilegeEscalation").asBoolean(true), name);
                assertTrue(own.path("readOnlyRootFilesystem").asBoolean(), name);
                assertEquals(
                        List.of("ALL"), Chart.texts(own.path("capabilities").path("drop")), name);
                assertFalse(own.path("capabilities").has("add"), name);
                assertFalse(own.has("privileged") || own.has("runAsUser"), name);
            }
        }
        assertTrue(seen >= 4, "operator, controller, hooks, test");
    }

    @ParameterizedTest
    @MethodSource("valueSets")
    void theAgentHasSysAdminAloneAndNoToken(List<String> values) throws Exception {
        List<JsonNode> agents = Chart.ofKind(render(values), "DaemonSet")
                .filter(set -> Chart.name(set).startsWith("larder-node-agent"))
                .toList();
        assertFalse(agents.isEmpty());
        for (JsonNode agent : agents) {
            JsonNode pod = Chart.pod(agent);
            assertFalse(pod.path("automountServiceAccountToken").asBoolean(true));
            assertFalse(
                    pod.path("hostPID").asBoolean() || pod.path("hostNetwork").asBoolean());
            JsonNode container = pod.path("containers").path(0);
            JsonNode context = container.path("securityContext");
            assertEquals(0, context.path("runAsUser").asInt(-1));
            assertFalse(context.path("privileged").asBoolean());
            assertTrue(context.path("readOnlyRootFilesystem").asBoolean());
            assertEquals(
                    List.of("ALL"), Chart.texts(context.path("capabilities").path("drop")));
            assertEquals(
                    List.of("SYS_ADMIN"),
                    Chart.texts(context.path("capabilities").path("add")));
            for (JsonNode mount : container.path("volumeMounts")) {
                assertFalse(mount.has("mountPropagation"), mount::toString);
                assertFalse(mount.path("mountPath").asText().startsWith("/var/lib/kubelet"), mount::toString);
            }
            assertFalse(
                    container.path("resources").path("limits").path("memory").isMissingNode());
        }
    }

    @ParameterizedTest
    @MethodSource("valueSets")
    void thePluginAloneIsPrivileged(List<String> values) throws Exception {
        List<JsonNode> objects = render(values);
        for (JsonNode workload : Chart.workloads(objects)) {
            boolean plugin = Chart.name(workload).equals("larder-csi-node");
            JsonNode pod = Chart.pod(workload);
            assertEquals(plugin, pod.path("hostPID").asBoolean(), Chart.name(workload));
            for (JsonNode container : containers(workload)) {
                assertEquals(
                        plugin,
                        container.path("securityContext").path("privileged").asBoolean());
                for (JsonNode mount : container.path("volumeMounts")) {
                    boolean kubelet = mount.path("mountPath").asText().equals("/var/lib/kubelet");
                    assertEquals(
                            kubelet, mount.path("mountPropagation").asText().equals("Bidirectional"));
                    assertTrue(!kubelet || plugin);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("valueSets")
    void noSecretStandsInAManifestAndNoneIsReadOutsideTheNamespace(List<String> values) throws Exception {
        List<JsonNode> objects = render(values);
        assertEquals(0, Chart.ofKind(objects, "Secret").count());
        for (JsonNode workload : Chart.workloads(objects)) {
            for (JsonNode container : containers(workload)) {
                for (JsonNode variable : container.path("env")) {
                    assertFalse(
                            variable.has("value") || variable.path("valueFrom").has("secretKeyRef"),
                            variable::toString);
                }
            }
        }
        for (JsonNode role : Chart.ofKind(objects, "ClusterRole").toList()) {
            for (JsonNode rule : role.path("rules")) {
                assertFalse(Chart.texts(rule.path("resources")).contains("secrets"), () -> Chart.name(role));
                assertFalse(rule.toString().contains("\"*\""), () -> Chart.name(role) + ": " + rule);
            }
        }
        Set<String> readers = new TreeSet<>();
        for (JsonNode role : Chart.ofKind(objects, "Role").toList()) {
            assertEquals(
                    Chart.NAMESPACE, role.path("metadata").path("namespace").asText());
            if (role.toString().contains("\"secrets\"")) {
                readers.add(Chart.name(role));
            }
        }
        readers.remove("larder-postgres-secret");
        assertEquals(Set.of("larder-operator"), readers);
    }

    /** The operator's own tests run with the rights of that file. */
    @Test
    void theOperatorHasTheRightsThatItIsTestedWith() throws Exception {
        List<JsonNode> objects = render(List.of());
        List<JsonNode> tested = Chart.documents(Files.readString(RBAC));
        for (String kind : List.of("ClusterRole", "Role")) {
            assertEquals(
                    Chart.one(tested, kind, "larder-operator").path("rules"),
                    Chart.one(objects, kind, "larder-operator").path("rules"));
        }
    }

    @Test
    void preparingADirectoryAsRootIsOptedInto() throws Exception {
        List<JsonNode> objects = Chart.render(
                "-f",
                "values-quickstart.yaml",
                "--set",
                "postgres.storage.hostPath=/data/larder,postgres.storage.nodeName=n1,postgres.storage.prepare=true");
        JsonNode set = Chart.one(objects, "StatefulSet", "larder-postgres");
        JsonNode prepare = Chart.pod(set).path("initContainers").path(0).path("securityContext");
        assertEquals(List.of("CHOWN"), Chart.texts(prepare.path("capabilities").path("add")));
        assertEquals(
                "n1",
                Chart.pod(set)
                        .path("nodeSelector")
                        .path("kubernetes.io/hostname")
                        .asText());
        assertFalse(set.path("spec").has("volumeClaimTemplates"));
        assertFalse(Chart.pod(Chart.one(render(QUICK_START), "StatefulSet", "larder-postgres"))
                .has("initContainers"));
    }

    // ---- what can never change

    @Test
    void theDriverIsAsDecided() throws Exception {
        JsonNode spec =
                Chart.one(render(List.of()), "CSIDriver", "csi.larder.dev").path("spec");
        Map<String, String> fields = new TreeMap<>();
        spec.properties()
                .forEach(field -> fields.put(field.getKey(), field.getValue().toString()));
        assertEquals(
                new TreeMap<>(Map.of(
                        "attachRequired", "false",
                        "volumeLifecycleModes", "[\"Persistent\"]",
                        "podInfoOnMount", "true",
                        "requiresRepublish", "true",
                        "seLinuxMount", "false",
                        "storageCapacity", "false",
                        "fsGroupPolicy", "\"None\"")),
                fields);
    }

    @Test
    void theClassNamesTheSecretOfThePersistentVolume() throws Exception {
        JsonNode storageClass = Chart.one(render(List.of()), "StorageClass", "larder");
        assertEquals("csi.larder.dev", storageClass.path("provisioner").asText());
        assertTrue(storageClass.path("allowVolumeExpansion").asBoolean());
        for (String call : List.of("node-stage", "node-publish")) {
            JsonNode parameters = storageClass.path("parameters");
            assertEquals(
                    "${pv.name}",
                    parameters
                            .path("csi.storage.k8s.io/" + call + "-secret-name")
                            .asText());
            assertEquals(
                    Chart.NAMESPACE,
                    parameters
                            .path("csi.storage.k8s.io/" + call + "-secret-namespace")
                            .asText());
        }
        assertEquals(4, storageClass.path("parameters").size());
    }

    @Test
    void bothSetsOfTheNodeRollAsDecided() throws Exception {
        List<JsonNode> objects = render(List.of());
        JsonNode plugin = Chart.one(objects, "DaemonSet", "larder-csi-node");
        JsonNode agent = Chart.one(objects, "DaemonSet", "larder-node-agent");
        assertEquals("{\"maxSurge\":0,\"maxUnavailable\":1}", rolling(plugin));
        assertEquals("{\"maxSurge\":1,\"maxUnavailable\":0}", rolling(agent));
        assertEquals(
                600, Chart.pod(plugin).path("terminationGracePeriodSeconds").asInt());
        assertEquals(120, Chart.pod(agent).path("terminationGracePeriodSeconds").asInt());
        for (JsonNode set : List.of(plugin, agent)) {
            assertEquals(
                    "system-node-critical",
                    Chart.pod(set).path("priorityClassName").asText());
            Set<String> tolerated = new TreeSet<>();
            Chart.pod(set)
                    .path("tolerations")
                    .forEach(one -> tolerated.add(one.path("key").asText()));
            assertEquals(Set.of("larder.dev/agent-not-ready", "nvidia.com/gpu"), tolerated);
        }
    }

    private static String rolling(JsonNode set) {
        return set.path("spec").path("updateStrategy").path("rollingUpdate").toString();
    }

    // ---- pools

    @Test
    void aNodeBelongsToTheFirstPoolWhoseLabelItHas() throws Exception {
        List<JsonNode> objects = Chart.render(
                "--set-json",
                "cache.pools=[{\"name\":\"gpu\",\"nodeSelector\":{\"nvidia.com/gpu.present\":\"true\"},\"capacity\":\"800Gi\",\"memory\":\"4Gi\"},"
                        + "{\"name\":\"disk\",\"nodeSelector\":{\"disk\":\"nvme\"},\"capacity\":\"400Gi\",\"memory\":\"2Gi\"}]",
                "--set",
                "nodeSelector.zone=a");
        JsonNode gpu = Chart.pod(Chart.one(objects, "DaemonSet", "larder-node-agent-gpu"));
        JsonNode disk = Chart.pod(Chart.one(objects, "DaemonSet", "larder-node-agent-disk"));
        JsonNode rest = Chart.pod(Chart.one(objects, "DaemonSet", "larder-node-agent"));
        assertEquals(
                "true", gpu.path("nodeSelector").path("nvidia.com/gpu.present").asText());
        assertEquals(List.of(), excluded(gpu));
        assertEquals(List.of("nvidia.com/gpu.present NotIn [\"true\"]"), excluded(disk));
        assertEquals(List.of("nvidia.com/gpu.present NotIn [\"true\"]", "disk NotIn [\"nvme\"]"), excluded(rest));
        for (JsonNode pool : List.of(gpu, disk, rest)) {
            assertEquals("a", pool.path("nodeSelector").path("zone").asText());
        }
        assertEquals(1, rest.path("nodeSelector").size());
        assertTrue(Chart.texts(gpu.path("containers").path(0).path("args")).contains("--cache-capacity=800Gi"));
        assertEquals("4Gi", gpu.at("/containers/0/resources/limits/memory").asText());
    }

    private static List<String> excluded(JsonNode pod) {
        String terms =
                "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions";
        return Chart.list(pod.at(terms)).stream()
                .map(one ->
                        one.path("key").asText() + " " + one.path("operator").asText() + " " + one.path("values"))
                .toList();
    }

    // ---- values

    @Test
    void wrongValuesAreRefusedByName() throws Exception {
        Map<String, String> wrong = Map.of(
                "cache.capacity=12x", "at '/cache/capacity': '12x' does not match pattern",
                "image.repo=a", "at '/image': additional properties 'repo' not allowed",
                "postgres.storage.hostPath=/x", "at '/postgres/storage/nodeName'",
                "storageClass.parameters.bucket=mine", "additional properties 'bucket' not allowed",
                "operator.replicas=0", "at '/operator/replicas': minimum: got 0, want 1",
                "cache.pools[0].name=gpu", "missing properties 'nodeSelector', 'capacity', 'memory'",
                "kubeletDir=relative", "at '/kubeletDir'",
                "colour=red", "additional properties 'colour' not allowed");
        for (Map.Entry<String, String> one : wrong.entrySet()) {
            String said = Chart.refusal("--set", one.getKey());
            assertTrue(said.contains(one.getValue()), said);
        }
    }

    @Test
    void componentsAreStartedByNamesOfTheImage() throws Exception {
        Set<String> known = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("src/main/root/etc/entry-points"))) {
            known.add(line.split(" ", 2)[0]);
        }
        Set<String> started = new TreeSet<>();
        for (JsonNode workload : Chart.workloads(render(QUICK_START))) {
            for (JsonNode container : containers(workload)) {
                if (!container.has("command")) {
                    assertEquals(container.path("name"), container.path("args").path(0));
                    started.add(container.path("name").asText());
                }
            }
        }
        assertTrue(
                started.containsAll(List.of("operator", "csi-controller", "csi-node", "node-agent")),
                started::toString);
        known.retainAll(started);
        assertEquals(started, known);
    }
}
