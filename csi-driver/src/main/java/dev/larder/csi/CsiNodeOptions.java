package dev.larder.csi;

import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The flags of csi-node: read and checked once at the start. None is secret. */
@Command(
        name = "csi-node",
        description = "Serves CSI's Node service to kubelet and keeps the descriptors of this node's mounts.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
public final class CsiNodeOptions {
    @Option(
            names = "--node-name",
            required = true,
            defaultValue = "${env:LARDER_NODE_NAME}",
            description = "Name of this node in Kubernetes. Environment: LARDER_NODE_NAME.")
    String nodeName;

    @Option(
            names = "--run-dir",
            defaultValue = "${env:LARDER_RUN_DIR:-/run/larder}",
            description = "Sockets and records shared with the node agent, on tmpfs. Environment: LARDER_RUN_DIR."
                    + " Default: /run/larder.")
    Path runDirectory;

    @Option(
            names = "--kubelet-dir",
            defaultValue = "${env:LARDER_KUBELET_DIR:-/var/lib/kubelet}",
            description = "Kubelet's --root-dir, the same path here and on the host. Environment: LARDER_KUBELET_DIR."
                    + " Default: /var/lib/kubelet.")
    Path kubeletDirectory;

    @Option(
            names = "--health-port",
            defaultValue = "${env:LARDER_HEALTH_PORT:-9808}",
            description = "Port of /healthz, /readyz and /metrics. Environment: LARDER_HEALTH_PORT. Default: 9808.")
    int healthPort;

    @Option(
            names = "--agent-absent-timeout",
            defaultValue = "${env:LARDER_AGENT_ABSENT_TIMEOUT:-120s}",
            converter = DurationText.class,
            description = "How long users of a volume wait for an agent before they get errors, such as 120s."
                    + " Environment: LARDER_AGENT_ABSENT_TIMEOUT. Default: 120s.")
    Duration agentAbsentTimeout;

    @Option(
            names = "--max-volumes",
            defaultValue = "${env:LARDER_MAX_VOLUMES:-100}",
            description = "Most volumes that the scheduler may bring to this node; 0 = no limit."
                    + " Environment: LARDER_MAX_VOLUMES. Default: 100.")
    long maxVolumes;

    public String nodeName() {
        return nodeName;
    }

    public Path runDirectory() {
        return runDirectory;
    }

    public NodePaths paths() {
        return new NodePaths(kubeletDirectory);
    }

    public int healthPort() {
        return healthPort;
    }

    public Duration agentAbsentTimeout() {
        return agentAbsentTimeout;
    }

    public long maxVolumes() {
        return maxVolumes;
    }

    /** @throws IllegalArgumentException naming the flag */
    void check() {
        require(!nodeName.isBlank(), "--node-name is empty");
        require(isPlain(runDirectory), "--run-dir must be an absolute path");
        require(isPlain(kubeletDirectory), "--kubelet-dir must be an absolute path");
        require(healthPort >= 0 && healthPort <= 65535, "--health-port must be between 0 and 65535");
        require(maxVolumes >= 0, "--max-volumes must not be negative");
    }

    private static boolean isPlain(Path path) {
        return path.isAbsolute() && path.equals(path.normalize());
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    @Override
    public String toString() {
        return "nodeName=" + nodeName + " runDir=" + runDirectory + " kubeletDir=" + kubeletDirectory + " healthPort="
                + healthPort + " agentAbsentTimeout=" + agentAbsentTimeout + " maxVolumes=" + maxVolumes;
    }
}
