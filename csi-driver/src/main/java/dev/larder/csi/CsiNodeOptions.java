package dev.larder.csi;

import dev.larder.crds.Retention;
import dev.larder.csi.cluster.ApiAccess;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import picocli.CommandLine;
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
    private static final String SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/";

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

    /** A time as manifests write it. */
    private static final class RetentionConverter implements CommandLine.ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            try {
                return Retention.parse(text).duration();
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(e.getMessage());
            }
        }
    }

    @Option(
            names = "--agent-absent-timeout",
            defaultValue = "${env:LARDER_AGENT_ABSENT_TIMEOUT:-120s}",
            converter = RetentionConverter.class,
            description = "How long users of a volume wait for an agent before they get errors, such as 120s."
                    + " Environment: LARDER_AGENT_ABSENT_TIMEOUT. Default: 120s.")
    Duration agentAbsentTimeout;

    @Option(
            names = "--max-volumes",
            defaultValue = "${env:LARDER_MAX_VOLUMES:-100}",
            description = "Most volumes that the scheduler may bring to this node; 0 = no limit."
                    + " Environment: LARDER_MAX_VOLUMES. Default: 100.")
    long maxVolumes;

    @Option(
            names = "--api-server",
            defaultValue = "${env:LARDER_API_SERVER:-}",
            description = "URL of the API server, https://host:port. Environment: LARDER_API_SERVER."
                    + " Default: that of the cluster this process runs in; outside of one nothing is told to any.")
    String apiServer;

    @Option(
            names = "--api-token-file",
            defaultValue = "${env:LARDER_API_TOKEN_FILE:-" + SERVICE_ACCOUNT + "token}",
            description = "Token for the API server, read again for each request. Environment: LARDER_API_TOKEN_FILE."
                    + " Default: the service account's.")
    Path apiTokenFile;

    @Option(
            names = "--api-ca-file",
            defaultValue = "${env:LARDER_API_CA_FILE:-" + SERVICE_ACCOUNT + "ca.crt}",
            description = "Certificates that the API server's must be signed with, PEM. Environment:"
                    + " LARDER_API_CA_FILE. Default: the service account's.")
    Path apiCaFile;

    @Option(
            names = "--taint-not-ready",
            arity = "1",
            defaultValue = "${env:LARDER_TAINT_NOT_READY:-true}",
            description = "Whether a node without an agent gets the taint larder.dev/agent-not-ready:NoSchedule."
                    + " Environment: LARDER_TAINT_NOT_READY. Default: true.")
    boolean taintNotReady;

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

    /** The API server that the node is told to; null = none. */
    public ApiAccess api() {
        return apiServer.isEmpty() ? null : new ApiAccess(URI.create(apiServer), apiTokenFile, apiCaFile);
    }

    public boolean taintNotReady() {
        return taintNotReady;
    }

    /** Finds the API server as kubelet names it to every container, unless a flag does. */
    void findApiServer(Map<String, String> environment) {
        String host = environment.get("KUBERNETES_SERVICE_HOST");
        String port = environment.get("KUBERNETES_SERVICE_PORT");
        if (apiServer.isEmpty() && host != null && port != null) {
            apiServer = "https://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** @throws IllegalArgumentException naming the flag */
    void check() {
        require(!nodeName.isBlank(), "--node-name is empty");
        require(isPlain(runDirectory), "--run-dir must be an absolute path");
        require(isPlain(kubeletDirectory), "--kubelet-dir must be an absolute path");
        require(healthPort >= 0 && healthPort <= 65535, "--health-port must be between 0 and 65535");
        require(maxVolumes >= 0, "--max-volumes must not be negative");
        require(apiServer.isEmpty() || isServer(apiServer), "--api-server must be https://host:port");
        require(isPlain(apiTokenFile), "--api-token-file must be an absolute path");
        require(isPlain(apiCaFile), "--api-ca-file must be an absolute path");
    }

    private static boolean isServer(String text) {
        try {
            URI uri = new URI(text);
            return "https".equals(uri.getScheme())
                    && uri.getHost() != null
                    && uri.getPath().isEmpty();
        } catch (URISyntaxException e) {
            return false;
        }
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
                + healthPort + " agentAbsentTimeout=" + agentAbsentTimeout + " maxVolumes=" + maxVolumes + " apiServer="
                + (apiServer.isEmpty() ? "none" : apiServer) + " apiTokenFile=" + apiTokenFile + " apiCaFile="
                + apiCaFile
                + " taintNotReady=" + taintNotReady;
    }
}
