package dev.larder.e2e.k8s;

import dev.larder.e2e.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes down what the cluster and its pods say, for whoever looks into a failed test. */
final class ClusterArtefacts {
    private static final String LINES = "2000";

    private final Cluster cluster;
    private final Path directory;

    ClusterArtefacts(Cluster cluster, Path directory) {
        this.cluster = cluster;
        this.directory = directory;
    }

    void collect() throws IOException {
        Files.createDirectories(directory);
        keep("events.txt", "kubectl", "get", "events", "--all-namespaces", "--sort-by=.lastTimestamp");
        keep("pods.txt", "kubectl", "get", "pods", "--all-namespaces", "--output=wide");
        keep("pods-described.txt", "kubectl", "describe", "pods", "--all-namespaces");
        keep("nodes-described.txt", "kubectl", "describe", "nodes");
        keep(
                "volumes.yaml",
                "kubectl",
                "get",
                "persistentvolumes,persistentvolumeclaims",
                "--all-namespaces",
                "--output=yaml");
        keepPodLogs();
        keepNodeLogs();
    }

    private void keepPodLogs() throws IOException {
        String pods = cluster.kubectl(
                "get",
                "pods",
                "--all-namespaces",
                "--output=jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{\"\\n\"}{end}");
        for (String line : pods.lines().toList()) {
            String[] pod = line.split(" ");
            String file = "pod-" + pod[0] + "-" + pod[1];
            keep(file + ".log", podLogs(pod[0], pod[1], false));
            Command.Result previous = cluster.run(podLogs(pod[0], pod[1], true));
            if (previous.exit() == 0 && !previous.out().isBlank()) {
                Files.writeString(directory.resolve(file + "-previous.log"), previous.out());
            }
        }
    }

    private static String[] podLogs(String namespace, String pod, boolean previous) {
        return new String[] {
            "kubectl",
            "--namespace=" + namespace,
            "logs",
            pod,
            "--all-containers",
            "--prefix",
            "--timestamps",
            "--tail=" + LINES,
            "--previous=" + previous
        };
    }

    private void keepNodeLogs() throws IOException {
        for (String log : cluster.run("e2e/cluster", "logs").ok().out().lines().toList()) {
            if (log.endsWith("/kubelet") || log.endsWith("/containerd") || log.startsWith("kube-")) {
                keep("log-" + log.replace('/', '-') + ".log", "e2e/cluster", "logs", log, "-n", LINES);
            }
        }
    }

    /** What the command printed or, when it failed, how; no file when it printed nothing. */
    private void keep(String file, String... command) throws IOException {
        Command.Result result = cluster.run(command);
        String text = result.exit() == 0 ? result.out() : result.toString();
        if (!text.isBlank()) {
            Files.writeString(directory.resolve(file), text);
        }
    }
}
