package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import csi.v1.Csi.NodePublishVolumeRequest;
import csi.v1.Csi.NodeStageVolumeRequest;
import csi.v1.Csi.NodeUnpublishVolumeRequest;
import csi.v1.Csi.NodeUnstageVolumeRequest;
import csi.v1.Csi.VolumeCapability;
import csi.v1.Csi.VolumeCapability.AccessMode.Mode;
import csi.v1.IdentityGrpc;
import csi.v1.NodeGrpc;
import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.Mounts;
import dev.larder.linux.OpenFlags;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;
import picocli.CommandLine;

/** A csi-node with a kubelet's directory of its own, spoken to over its socket as kubelet does. */
final class NodeFixture implements AutoCloseable {
    final Path kubelet;
    final NodePaths paths;
    final MemoryVolumes volumes;
    final UUID volume = UUID.randomUUID();
    final Path staging;

    private final Map<Path, UnixChannel> channels = new HashMap<>();
    CsiNode node;

    NodeFixture(Path directory) throws IOException {
        kubelet = Files.createDirectories(directory.resolve("k"));
        paths = new NodePaths(kubelet);
        volumes = new MemoryVolumes(paths);
        staging = Files.createDirectories(kubelet.resolve("plugins/kubernetes.io/csi/csi.larder.dev/abc/globalmount"));
        start();
    }

    private void start() throws IOException {
        CsiNodeOptions options = new CsiNodeOptions();
        new CommandLine(options)
                .parseArgs(
                        "--node-name=node-1",
                        "--kubelet-dir=" + kubelet,
                        "--run-dir=" + kubelet.resolveSibling("run"),
                        "--health-port=0");
        node = CsiNode.start(options, (_, _) -> volumes);
    }

    /** Another process would know no more than this one: nothing of memory is taken over. */
    void restart() throws IOException {
        closeChannels();
        node.close();
        start();
    }

    ManagedChannel channel(Path socket) {
        return channels.computeIfAbsent(socket, UnixChannel::open).channel();
    }

    NodeGrpc.NodeBlockingStub calls() {
        return NodeGrpc.newBlockingStub(channel(paths.csiSocket())).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    IdentityGrpc.IdentityBlockingStub identity() {
        return IdentityGrpc.newBlockingStub(channel(paths.csiSocket())).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    Path target(String pod) throws IOException {
        Path parent = kubelet.resolve("pods").resolve(pod).resolve("volumes/kubernetes.io~csi/pv");
        return Files.createDirectories(parent).resolve("mount");
    }

    static VolumeCapability capability(Mode mode) {
        return VolumeCapability.newBuilder()
                .setMount(VolumeCapability.MountVolume.getDefaultInstance())
                .setAccessMode(VolumeCapability.AccessMode.newBuilder().setMode(mode))
                .build();
    }

    static VolumeCapability capability(Mode mode, String group) {
        return capability(mode).toBuilder()
                .setMount(VolumeCapability.MountVolume.newBuilder().setVolumeMountGroup(group))
                .build();
    }

    Map<String, String> secret(long generation) {
        return Map.of("volume.json", Secrets.json(volume, generation), "password", "geheim-" + generation);
    }

    NodeStageVolumeRequest.Builder stageRequest() {
        return NodeStageVolumeRequest.newBuilder()
                .setVolumeId(volume.toString())
                .setStagingTargetPath(staging.toString())
                .setVolumeCapability(capability(Mode.MULTI_NODE_MULTI_WRITER))
                .putAllSecrets(secret(1));
    }

    NodePublishVolumeRequest.Builder publishRequest(Path target) {
        return NodePublishVolumeRequest.newBuilder()
                .setVolumeId(volume.toString())
                .setStagingTargetPath(staging.toString())
                .setTargetPath(target.toString())
                .setVolumeCapability(capability(Mode.MULTI_NODE_MULTI_WRITER))
                .putVolumeContext("csi.storage.k8s.io/pod.name", "trainer-0")
                .putAllSecrets(secret(1));
    }

    void stage() {
        assertEquals(0, calls().nodeStageVolume(stageRequest().build()).getSerializedSize());
    }

    Path publish(String pod) throws IOException {
        Path target = target(pod);
        assertEquals(
                0, calls().nodePublishVolume(publishRequest(target).build()).getSerializedSize());
        return target;
    }

    void unpublish(Path target) {
        var request = NodeUnpublishVolumeRequest.newBuilder()
                .setVolumeId(volume.toString())
                .setTargetPath(target.toString())
                .build();
        assertEquals(0, calls().nodeUnpublishVolume(request).getSerializedSize());
    }

    void unstage() {
        assertEquals(0, calls().nodeUnstageVolume(unstageRequest()).getSerializedSize());
    }

    NodeUnstageVolumeRequest unstageRequest() {
        return NodeUnstageVolumeRequest.newBuilder()
                .setVolumeId(volume.toString())
                .setStagingTargetPath(staging.toString())
                .build();
    }

    /** @return the message, which ends in a command */
    static String refused(Status.Code code, Executable call) {
        Status status = assertThrows(StatusRuntimeException.class, call).getStatus();
        assertEquals(code, status.getCode(), status.getDescription());
        return status.getDescription();
    }

    private void closeChannels() {
        channels.values().forEach(UnixChannel::close);
        channels.clear();
    }

    @Override
    public void close() {
        closeChannels();
        volumes.unserved.values().forEach(Descriptor::close);
        List<Mounts.MountPoint> mounts = new ArrayList<>(Mounts.list());
        for (Mounts.MountPoint mount : mounts.reversed()) {
            if (mount.target().startsWith(kubelet)) {
                Mounts.unmount(mount.target(), Mounts.MNT_DETACH);
            }
        }
        node.close();
        clearMarkers();
    }

    /** Who cleans up after the test may delete what a crash would have left. */
    private void clearMarkers() {
        try (Stream<Path> files = Files.walk(kubelet)) {
            for (Path path : files.filter(file -> file.endsWith("mount")).toList()) {
                try (Descriptor directory = LinuxFile.open(path, OpenFlags.O_DIRECTORY, 0)) {
                    LinuxFile.setImmutable(directory.number(), false);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
