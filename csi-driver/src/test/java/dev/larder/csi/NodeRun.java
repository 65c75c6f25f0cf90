package dev.larder.csi;

import dev.larder.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A csi-node behind a {@link SecretProxy}, for a program that plays kubelet. */
public final class NodeRun implements AutoCloseable {
    private final NodeFixture node;
    private final SecretProxy proxy;
    private final Path socket;

    private NodeRun(NodeFixture node, SecretProxy proxy, Path socket) {
        this.node = node;
        this.proxy = proxy;
        this.socket = socket;
    }

    public static NodeRun start(Path directory) throws IOException {
        NodeFixture node = new NodeFixture(directory);
        Files.createDirectories(node.kubelet.resolve("pods/sanity"));
        Files.createDirectories(node.kubelet.resolve("plugins/kubernetes.io/csi/sanity"));
        Path socket = directory.resolve("node.sock");
        SecretProxy proxy = SecretProxy.start(socket, node.paths.csiSocket(), NodeRun::secret);
        return new NodeRun(node, proxy, socket);
    }

    private static Map<String, String> secret(String volumeId) {
        VolumeHandle handle = VolumeHandle.parseOrNull(volumeId);
        return handle == null
                ? Map.of()
                : Map.of("volume.json", Secrets.json(handle.volume(), 1), "password", "geheim");
    }

    public Path socket() {
        return socket;
    }

    public Path kubelet() {
        return node.kubelet;
    }

    /** What is still mounted below kubelet's directory. */
    public List<Path> leftMounts() {
        return Mounts.list().stream()
                .map(Mounts.MountPoint::target)
                .filter(target -> target.startsWith(node.kubelet))
                .toList();
    }

    @Override
    public void close() {
        proxy.close();
        node.close();
    }
}
