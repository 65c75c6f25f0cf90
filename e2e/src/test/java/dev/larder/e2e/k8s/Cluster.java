package dev.larder.e2e.k8s;

import dev.larder.e2e.Command;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;

/**
 * The Kubernetes cluster of {@code e2e/cluster}. The first test class of a JVM starts it, or finds it running; nobody
 * stops it, so that the next run starts at once. Register it as a static extension; tests keep to namespaces of their own
 * and leave the nodes as they were.
 *
 * <p>What explains a failed test is kept in {@code target/k8s-artefacts}.
 */
final class Cluster implements BeforeAllCallback, AfterTestExecutionCallback, LifecycleMethodExecutionExceptionHandler {
    /** How long a change may take to be seen on this cluster, two busy cores included. */
    static final Duration PATIENCE = Duration.ofMinutes(2);

    static final String BUSYBOX = "larder.local/busybox:dev";

    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Duration START_DEADLINE = Duration.ofMinutes(30);

    private Session session;

    /** One per JVM; JUnit closes it when all tests are done. */
    private record Session(Map<String, String> environment, KubernetesClient client) implements AutoCloseable {
        static Session start() {
            Command.run(ROOT, Map.of(), START_DEADLINE, "e2e/cluster", "up").ok();
            List<String> answer = Command.sh(
                            ROOT,
                            "environment=$(e2e/cluster env); eval \"$environment\"; echo \"$KUBECONFIG\"; echo \"$PATH\"")
                    .ok()
                    .out()
                    .lines()
                    .toList();
            Path kubeconfig = Path.of(answer.getFirst());
            Config config = Config.fromKubeconfig(kubeconfig.toFile());
            return new Session(
                    Map.of("KUBECONFIG", kubeconfig.toString(), "PATH", answer.getLast()),
                    new KubernetesClientBuilder().withConfig(config).build());
        }

        @Override
        public void close() {
            client.close();
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        session = context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .computeIfAbsent(Session.class, key -> Session.start(), Session.class);
    }

    KubernetesClient client() {
        return session.client();
    }

    /** Runs a program of the cluster's PATH (kubectl, helm, ...) as its administrator, with a deadline. */
    Command.Result run(String... command) {
        // env, as Java would look the program up on its own PATH
        List<String> words = new ArrayList<>(List.of("env"));
        words.addAll(List.of(command));
        return Command.run(ROOT, session.environment(), PATIENCE.plusMinutes(1), words.toArray(String[]::new));
    }

    /**
     * What kubectl prints.
     *
     * @throws AssertionError when kubectl fails
     */
    String kubectl(String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = "kubectl";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return run(command).ok().out();
    }

    /** Applies a manifest of one or more documents, server-side. */
    void apply(String yaml) {
        try {
            Path file = Files.createTempFile("larder-e2e", ".yaml");
            try {
                Files.writeString(file, yaml);
                kubectl("apply", "--server-side", "--force-conflicts", "-f", file.toString());
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An object server in namespace minio, as its manifest says: the bucket larder, the admin's keys in a Secret. */
    void startMinio() {
        kubectl("apply", "--server-side", "-f", "e2e/bed/manifests/minio.yaml");
        awaitRollout("minio", "deployment/minio");
    }

    /** Makes a namespace anew: one that an earlier run left is deleted with all that is in it. */
    void createNamespace(String name) {
        deleteNamespace(name);
        kubectl("create", "namespace", name);
        // Pods are refused until the controller has made it.
        await(
                "namespace " + name + " has its service account",
                () -> run("kubectl", "-n", name, "get", "serviceaccount", "default")
                                .exit()
                        == 0);
    }

    void deleteNamespace(String name) {
        kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=" + PATIENCE.toSeconds() + "s");
    }

    /** What a command in the first container of a pod prints; standard input is empty. */
    String exec(String namespace, String pod, String... command) {
        List<String> words = new ArrayList<>(List.of("-n", namespace, "exec", pod, "--"));
        words.addAll(List.of(command));
        return kubectl(words.toArray(String[]::new));
    }

    Pod awaitReady(String namespace, String pod) {
        return client().pods()
                .inNamespace(namespace)
                .withName(pod)
                .waitUntilReady(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    void awaitRollout(String namespace, String workload) {
        kubectl("-n", namespace, "rollout", "status", workload, "--timeout=" + PATIENCE.toSeconds() + "s");
    }

    /** The pods with a label, in the order of their nodes' names. */
    List<Pod> pods(String namespace, String label, String value) {
        return client().pods().inNamespace(namespace).withLabel(label, value).list().getItems().stream()
                .sorted((a, b) ->
                        a.getSpec().getNodeName().compareTo(b.getSpec().getNodeName()))
                .toList();
    }

    /** Loads image files into every node. */
    void load(Path... images) {
        List<String> words = new ArrayList<>(List.of("e2e/cluster", "load"));
        for (Path image : images) {
            words.add(image.toString());
        }
        run(words.toArray(String[]::new)).ok();
    }

    /** All processes of the node end at once, as when its power is cut. */
    void stopNode(String node) {
        run("e2e/cluster", "node", "stop", node).ok();
    }

    void startNode(String node) {
        run("e2e/cluster", "node", "start", node).ok();
    }

    /** The node runs on, but reaches nobody and nobody reaches it, until {@link #healNode}. */
    void partitionNode(String node) {
        run("e2e/cluster", "node", "partition", node).ok();
    }

    void healNode(String node) {
        run("e2e/cluster", "node", "heal", node).ok();
    }

    /** What a command prints that runs inside a node as its administrator. */
    String onNode(String node, String... command) {
        List<String> words = new ArrayList<>(List.of("e2e/cluster", "node", "sh", node));
        words.addAll(List.of(command));
        return run(words.toArray(String[]::new)).ok().out();
    }

    boolean isReady(String node) {
        return readiness(client().nodes().withName(node).get()).equals("True");
    }

    void awaitNode(String node, boolean ready) {
        await("node " + node + (ready ? " is Ready" : " is not Ready"), () -> isReady(node) == ready);
    }

    private static String readiness(Node node) {
        return node.getStatus().getConditions().stream()
                .filter(condition -> condition.getType().equals("Ready"))
                .findFirst()
                .orElseThrow()
                .getStatus();
    }

    /**
     * Waits until something is so, at most {@link #PATIENCE}.
     *
     * @param what is named when the time is over
     */
    static void await(String what, Callable<Boolean> condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        try {
            while (!condition.call()) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("not so after " + PATIENCE + ": " + what);
                }
                Thread.sleep(200);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (Exception e) {
            throw new AssertionError(what, e);
        }
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        context.getExecutionException().ifPresent(failure -> keepArtefacts(context, failure));
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        keepArtefacts(context, failure);
        throw failure;
    }

    @Override
    public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        keepArtefacts(context, failure);
        throw failure;
    }

    private void keepArtefacts(ExtensionContext context, Throwable failure) {
        String test = context.getRequiredTestClass().getSimpleName()
                + context.getTestMethod().map(method -> "." + method.getName()).orElse("");
        try {
            new ClusterArtefacts(this, Path.of("target", "k8s-artefacts", test)).collect();
        } catch (IOException | RuntimeException | AssertionError e) {
            failure.addSuppressed(e);
        }
    }
}
