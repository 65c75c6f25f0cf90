package dev.larder.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.crds.testing.KubeApiServer;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a real API server says of the chart: it takes every object, and grants and refuses what the chart promises. */
@Tag(KubeApiServer.TAG)
final class ChartAtTheApiServerTest {
    private static final String[] EVERYTHING = {"-f", "values-quickstart.yaml", "-f", "values-production.yaml"};
    private static final String ACCOUNT = "system:serviceaccount:" + Chart.NAMESPACE + ":";
    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);

    @TempDir
    static Path directory;

    private static KubeApiServer server;
    private static KubernetesClient admin;
    private static List<JsonNode> objects;

    @BeforeAll
    static void install() throws Exception {
        server = KubeApiServer.start(directory);
        admin = server.administrator();
        server.installKinds(admin);
        namespace(Chart.NAMESPACE, Map.of());
        // An install with the defaults, then upgrades: no step may change what cannot be changed.
        for (String[] values : new String[][] {{}, {"-f", "values-quickstart.yaml"}, EVERYTHING}) {
            objects = Chart.render(values);
            for (JsonNode object : objects) {
                if (!object.path("apiVersion").asText().startsWith("monitoring.coreos.com/")) {
                    admin.resource(object.toString()).serverSideApply();
                }
            }
        }
    }

    @AfterAll
    static void stop() {
        admin.close();
        server.close();
    }

    private static void namespace(String name, Map<String, String> labels) {
        ObjectMeta metadata =
                new ObjectMetaBuilder().withName(name).withLabels(labels).build();
        admin.resource(new NamespaceBuilder().withMetadata(metadata).build()).create();
        // A controller makes it in a whole cluster.
        account(name, "default");
    }

    private static void account(String namespace, String name) {
        admin.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(namespace)
                        .endMetadata()
                        .build())
                .serverSideApply();
    }

    // ---- the standard "restricted", as the API server enforces it

    @Test
    void allButTheNodesComponentsAreAdmittedWhereRestrictedIsEnforced() {
        String strict = "strict";
        namespace(strict, Map.of("pod-security.kubernetes.io/enforce", "restricted"));
        Set<String> refused = new TreeSet<>();
        int admitted = 0;
        for (JsonNode workload : Chart.workloads(objects)) {
            PodSpec spec = Serialization.unmarshal(Chart.pod(workload).toString(), PodSpec.class);
            for (JsonNode claim : workload.path("spec").path("volumeClaimTemplates")) {
                spec.getVolumes()
                        .add(new VolumeBuilder()
                                .withName(Chart.name(claim))
                                .withNewPersistentVolumeClaim(Chart.name(claim), false)
                                .build());
            }
            String account = spec.getServiceAccountName() == null ? "default" : spec.getServiceAccountName();
            account(strict, account);
            Pod pod = new PodBuilder()
                    .withNewMetadata()
                    .withName(Chart.name(workload))
                    .withNamespace(strict)
                    .endMetadata()
                    .withSpec(spec)
                    .build();
            try {
                admin.resource(pod).create();
                admitted++;
            } catch (KubernetesClientException e) {
                assertTrue(e.getMessage().contains("violates PodSecurity"), e.getMessage());
                refused.add(Chart.name(workload));
            }
        }
        assertEquals(Set.of("larder-csi-node", "larder-node-agent", "larder-node-agent-gpu"), refused);
        assertTrue(admitted >= 6, "operator, controller, PostgreSQL, hooks, test");
    }

    // ---- rights

    @Test
    void theOperatorAloneReadsSecretsAndOnlyInItsNamespace() {
        for (JsonNode account : Chart.ofKind(objects, "ServiceAccount").toList()) {
            String name = Chart.name(account);
            for (String verb : List.of("get", "list", "watch")) {
                assertFalse(may(name, verb, "secrets", "default"), name + " may " + verb + " Secrets elsewhere");
                assertFalse(may(name, verb, "secrets", null), name + " may " + verb + " all Secrets");
                assertEquals(name.equals("larder-operator"), may(name, verb, "secrets", Chart.NAMESPACE), name);
            }
            assertFalse(may(name, "create", "pods", Chart.NAMESPACE), name);
        }
    }

    private static boolean may(String account, String verb, String resource, String namespace) {
        SubjectAccessReview review = admin.authorization()
                .v1()
                .subjectAccessReview()
                .create(new SubjectAccessReviewBuilder()
                        .withNewSpec()
                        .withUser(ACCOUNT + account)
                        .withNewResourceAttributes()
                        .withVerb(verb)
                        .withResource(resource)
                        .withNamespace(namespace)
                        .endResourceAttributes()
                        .endSpec()
                        .build());
        return review.getStatus().getAllowed();
    }

    /** csi-node with the token that kubelet asks for its pod on that node; without a node, one of no pod. */
    private static KubernetesClient pluginOn(String node) {
        TokenRequestBuilder request = new TokenRequestBuilder();
        if (node != null) {
            Pod pod = new PodBuilder()
                    .withNewMetadata()
                    .withName("larder-csi-node-" + node)
                    .withNamespace(Chart.NAMESPACE)
                    .endMetadata()
                    .withNewSpec()
                    .withServiceAccountName("larder-csi-node")
                    .withNodeName(node)
                    .addNewContainer()
                    .withName("csi-node")
                    .withImage("larder.local/larder:dev")
                    .endContainer()
                    .endSpec()
                    .build();
            String uid = admin.resource(pod).create().getMetadata().getUid();
            request.withNewSpec()
                    .withNewBoundObjectRef("v1", "Pod", pod.getMetadata().getName(), uid)
                    .endSpec();
        }
        String token = admin.serviceAccounts()
                .inNamespace(Chart.NAMESPACE)
                .withName("larder-csi-node")
                .tokenRequest(request.build())
                .getStatus()
                .getToken();
        Config config = new ConfigBuilder(admin.getConfiguration())
                .withOauthToken(token)
                .build();
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    private static void node(String name) {
        admin.resource(new NodeBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .addToLabels("zone", "z")
                        .endMetadata()
                        .withNewSpec()
                        .addNewTaint("NoSchedule", "nvidia.com/gpu", null, "present")
                        .endSpec()
                        .build())
                .create();
    }

    private static GenericKubernetesResource cacheOf(String node) {
        GenericKubernetesResource cache = new GenericKubernetesResource();
        cache.setApiVersion("larder.dev/v1alpha1");
        cache.setKind("NodeCache");
        cache.setMetadata(new ObjectMetaBuilder().withName(node).build());
        cache.setAdditionalProperty("spec", Map.of());
        return cache;
    }

    /** A policy is in force a moment after it was made. */
    private static String awaitRefusal(Runnable attempt) throws InterruptedException {
        long end = System.nanoTime() + DEADLINE_NANOS;
        while (true) {
            try {
                attempt.run();
            } catch (KubernetesClientException e) {
                return e.getMessage();
            }
            assertTrue(System.nanoTime() < end, "never refused");
            Thread.sleep(100);
        }
    }

    @Test
    void aPluginWritesItsOwnNodesCacheAlone() throws Exception {
        node("n1");
        admin.resource(cacheOf("n2")).create();
        try (KubernetesClient first = pluginOn("n1");
                KubernetesClient unbound = pluginOn(null)) {
            String alone = "the csi-node of node 'n1' may write nodecaches 'n1' alone, not 'n";
            String said = awaitRefusal(() -> writeStatus(cache(first, "n2"), "observed", "\"now\""));
            assertTrue(said.contains(alone + "2'"), said);
            said = awaitRefusal(() -> first.resource(cacheOf("n3")).create());
            assertTrue(said.contains(alone + "3'"), said);
            first.resource(cacheOf("n1")).create();
            writeStatus(cache(first, "n1"), "observed", "\"now\"");
            assertThrows(
                    KubernetesClientException.class, () -> writeStatus(cache(unbound, "n1"), "observed", "\"now\""));
        }
    }

    private static Resource<GenericKubernetesResource> cache(KubernetesClient client, String node) {
        return client.genericKubernetesResources("larder.dev/v1alpha1", "NodeCache")
                .withName(node);
    }

    /** A merge patch of one field. */
    private static void writeStatus(Resource<GenericKubernetesResource> object, String field, String json) {
        object.subresource("status")
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"status\":{\"" + field + "\":" + json + "}}");
    }

    @Test
    void aPluginWritesItsOwnNodesEntryOfAWarmupAlone() throws Exception {
        node("w1");
        GenericKubernetesResource made = new GenericKubernetesResource();
        made.setApiVersion("larder.dev/v1alpha1");
        made.setKind("CacheWarmup");
        made.setMetadata(new ObjectMetaBuilder()
                .withName("warm")
                .withNamespace("default")
                .build());
        made.setAdditionalProperty("spec", Map.of("volume", "data"));
        admin.resource(made).create();
        try (KubernetesClient plugin = pluginOn("w1")) {
            awaitRefusal(() -> writeStatus(warmup(plugin), "nodes", "{\"w3\":{\"phase\":\"Running\"}}"));
            writeStatus(warmup(admin), "nodes", "{\"w2\":{\"phase\":\"Running\"},\"w3\":null}");
            writeStatus(warmup(plugin), "nodes", "{\"w1\":{\"phase\":\"Running\"}}");
            for (String other : List.of(
                    "{\"w2\":{\"phase\":\"Done\"}}", "{\"w2\":null}", "{\"w3\":{\"phase\":\"Done\"}}", "null")) {
                String said = awaitRefusal(() -> writeStatus(warmup(plugin), "nodes", other));
                assertTrue(said.contains("may write the entry status.nodes.w1 of a CacheWarmup alone"), said);
            }
            writeStatus(warmup(plugin), "nodes", "{\"w1\":null}");
            assertEquals(
                    Map.of("w2", Map.of("phase", "Running")),
                    warmup(admin).get().get("status", "nodes"));
            assertThrows(KubernetesClientException.class, () -> warmup(plugin).delete());
        }
    }

    private static Resource<GenericKubernetesResource> warmup(KubernetesClient client) {
        return client.genericKubernetesResources("larder.dev/v1alpha1", "CacheWarmup")
                .inNamespace("default")
                .withName("warm");
    }

    @Test
    void aPluginChangesOfItsNodeOurTaintAlone() throws Exception {
        node("a");
        node("b");
        try (KubernetesClient plugin = pluginOn("a")) {
            String said = awaitRefusal(() -> {
                edit(
                        plugin,
                        "b",
                        node -> node.editSpec()
                                .addNewTaint("NoSchedule", "larder.dev/agent-not-ready", null, null)
                                .endSpec());
            });
            assertTrue(said.contains("may write nodes 'a' alone, not 'b'"), said);
            edit(
                    plugin,
                    "a",
                    node -> node.editSpec()
                            .addNewTaint("NoSchedule", "larder.dev/agent-not-ready", null, null)
                            .endSpec());
            assertTrue(taints("a").contains("larder.dev/agent-not-ready"));
            List<Change> refused = List.of(
                    node -> node.editSpec()
                            .addNewTaint("NoExecute", "other", null, null)
                            .endSpec(),
                    node -> node.editSpec()
                            .removeMatchingFromTaints(taint -> taint.getKey().startsWith("nvidia"))
                            .endSpec(),
                    node -> node.editSpec()
                            .addNewTaint("NoExecute", "larder.dev/agent-not-ready", null, null)
                            .endSpec(),
                    node -> node.editSpec().withUnschedulable(true).endSpec(),
                    node -> node.editMetadata().addToLabels("zone", "y").endMetadata(),
                    node -> node.editMetadata().addToAnnotations("x", "y").endMetadata());
            for (Change change : refused) {
                KubernetesClientException e =
                        assertThrows(KubernetesClientException.class, () -> edit(plugin, "a", change));
                assertTrue(e.getMessage().contains("nothing of its Node but the taint"), e.getMessage());
            }
            edit(
                    plugin,
                    "a",
                    node -> node.editSpec()
                            .removeMatchingFromTaints(taint -> taint.getKey().startsWith("larder"))
                            .endSpec());
            assertFalse(taints("a").contains("larder.dev/agent-not-ready"));
            assertTrue(taints("a").contains("nvidia.com/gpu"));
        }
    }

    private static List<String> taints(String node) {
        return admin.nodes().withName(node).get().getSpec().getTaints().stream()
                .map(Taint::getKey)
                .toList();
    }

    private interface Change {
        NodeBuilder of(NodeBuilder node);
    }

    /** A patch of the difference. */
    private static void edit(KubernetesClient client, String node, Change change) {
        client.nodes()
                .withName(node)
                .edit(old -> change.of(new NodeBuilder(old)).build());
    }
}
