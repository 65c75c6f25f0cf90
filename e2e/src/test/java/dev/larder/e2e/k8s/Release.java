package dev.larder.e2e.k8s;

import io.fabric8.kubernetes.api.model.Pod;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The product on the cluster, installed by its chart with the quick start's values, as its users install it. */
final class Release {
    static final String NAMESPACE = "larder-system";
    static final String AGENT = "daemonset/larder-node-agent";
    static final String PLUGIN = "daemonset/larder-csi-node";
    static final String OPERATOR = "deployment/larder-operator";
    static final String CONTROLLER = "deployment/larder-csi-controller";
    static final String DATABASE = "statefulset/larder-postgres";
    static final String AGENT_CLASS = "dev.larder.agent.NodeAgentMain";
    static final String PLUGIN_CLASS = "dev.larder.csi.CsiNodeMain";
    static final String OPERATOR_CLASS = "dev.larder.operator.OperatorMain";

    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Path IMAGE = ROOT.resolve("image/target/larder.tar");

    /** The image's content, as its annotation on each template: another image rolls everything. */
    private static final String DIGEST = "larder.dev/e2e-image";

    private final Cluster cluster;

    private Release(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Installs or upgrades to the image of this build; nothing happens when it runs already. */
    static Release install(Cluster cluster) {
        if (!Files.exists(IMAGE)) {
            throw new AssertionError("there is no " + IMAGE + ": mvn -Pimage -DskipTests package");
        }
        Release release = new Release(cluster);
        release.installUnlessInstalled();
        return release;
    }

    private void installUnlessInstalled() {
        String digest = Long.toString(IMAGE.toFile().lastModified());
        String installed = cluster.run(
                        "kubectl",
                        "get",
                        "namespace",
                        NAMESPACE,
                        "-o",
                        "jsonpath={.metadata.annotations.larder\\.dev/e2e-image}")
                .out();
        if (!installed.equals(digest)) {
            cluster.load(IMAGE);
            upgrade();
            if (!installed.isBlank()) {
                restart(PLUGIN, AGENT, OPERATOR, CONTROLLER);
            }
            cluster.kubectl("annotate", "namespace", NAMESPACE, "--overwrite", DIGEST + "=" + digest);
        }
        awaitReady();
    }

    /** helm upgrade --install. @param settings as of helm's --set */
    void upgrade(String... settings) {
        List<String> command = new ArrayList<>(List.of(
                "helm",
                "upgrade",
                "--install",
                "larder",
                "charts/larder",
                "--namespace",
                NAMESPACE,
                "--create-namespace",
                "--reset-values",
                "--values",
                "charts/larder/values-quickstart.yaml",
                "--set",
                "postgres.storage.hostPath=/var/lib/larder-postgres",
                "--set",
                "postgres.storage.nodeName=n1",
                "--set",
                "postgres.storage.prepare=true"));
        for (String setting : settings) {
            command.add("--set");
            command.add(setting);
        }
        cluster.run(command.toArray(String[]::new)).ok();
    }

    void awaitReady() {
        for (String workload : new String[] {DATABASE, OPERATOR, CONTROLLER, PLUGIN, AGENT}) {
            cluster.awaitRollout(NAMESPACE, workload);
        }
    }

    /** Replaces the pods of workloads, all at once, as an upgrade does that changes their templates. */
    void restart(String... workloads) {
        List<String> command = new ArrayList<>(List.of("-n", NAMESPACE, "rollout", "restart"));
        command.addAll(List.of(workloads));
        cluster.kubectl(command.toArray(String[]::new));
    }

    /** kill -9 of the JVM with this main class on a node. */
    void kill(String node, String mainClass) {
        cluster.onNode(node, "pkill", "-KILL", "-f", mainClass);
    }

    /** kill -9 of the first process of the container that the JVM runs in: the container ends. */
    void killContainer(String node, String entryPoint) {
        cluster.onNode(node, "pkill", "-KILL", "-f", "/opt/larder/bin/larder-entry " + entryPoint);
    }

    Pod pod(String component, String node) {
        return cluster.pods(NAMESPACE, "app.kubernetes.io/component", component).stream()
                .filter(pod -> node.equals(pod.getSpec().getNodeName()))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + component + " on " + node));
    }
}
