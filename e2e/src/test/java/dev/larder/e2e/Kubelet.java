package dev.larder.e2e;

import csi.v1.ControllerGrpc;
import csi.v1.Csi.CapacityRange;
import csi.v1.Csi.CreateVolumeRequest;
import csi.v1.Csi.DeleteVolumeRequest;
import csi.v1.Csi.NodePublishVolumeRequest;
import csi.v1.Csi.NodeStageVolumeRequest;
import csi.v1.Csi.NodeUnpublishVolumeRequest;
import csi.v1.Csi.NodeUnstageVolumeRequest;
import csi.v1.Csi.VolumeCapability;
import csi.v1.NodeGrpc;
import dev.larder.csi.UnixChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Calls the services as provisioner and kubelet do, for one volume. */
final class Kubelet implements AutoCloseable {
    private static final long DEADLINE_S = 120;

    private final ClusterProcesses cluster;
    private final UnixChannel node;
    private final UnixChannel controller;
    private final Path staging;
    private final String volume;

    Kubelet(ClusterProcesses cluster, String name) throws IOException {
        this.cluster = cluster;
        node = UnixChannel.open(cluster.nodeSocket());
        controller = UnixChannel.open(cluster.controllerSocket());
        staging = Files.createDirectories(
                cluster.kubelet().resolve("plugins/kubernetes.io/csi").resolve(name));
        volume = controllerCalls()
                .createVolume(CreateVolumeRequest.newBuilder()
                        .setName(name)
                        .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(1L << 30))
                        .addVolumeCapabilities(capability(""))
                        .build())
                .getVolume()
                .getVolumeId();
    }

    private ControllerGrpc.ControllerBlockingStub controllerCalls() {
        return ControllerGrpc.newBlockingStub(controller.channel()).withDeadlineAfter(DEADLINE_S, TimeUnit.SECONDS);
    }

    /** Waits for a csi-node that is being started anew. */
    private NodeGrpc.NodeBlockingStub calls() {
        return NodeGrpc.newBlockingStub(node.channel())
                .withWaitForReady()
                .withDeadlineAfter(DEADLINE_S, TimeUnit.SECONDS);
    }

    private static VolumeCapability capability(String group) {
        return VolumeCapability.newBuilder()
                .setMount(VolumeCapability.MountVolume.newBuilder().setVolumeMountGroup(group))
                .setAccessMode(VolumeCapability.AccessMode.newBuilder()
                        .setMode(VolumeCapability.AccessMode.Mode.MULTI_NODE_MULTI_WRITER))
                .build();
    }

    void stage() {
        calls().nodeStageVolume(NodeStageVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setStagingTargetPath(staging.toString())
                .setVolumeCapability(capability(""))
                .putAllSecrets(cluster.secretOf(volume))
                .build());
    }

    /**
     * @param group the pod's fsGroup, "" = none
     * @return where the pod sees the volume
     */
    Path publish(String pod, String group, boolean readOnly) throws IOException {
        Path target = target(pod);
        Files.createDirectories(target.getParent());
        calls().nodePublishVolume(NodePublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setStagingTargetPath(staging.toString())
                .setTargetPath(target.toString())
                .setVolumeCapability(capability(group))
                .setReadonly(readOnly)
                .putAllSecrets(cluster.secretOf(volume))
                .build());
        return target;
    }

    private Path target(String pod) {
        return cluster.kubelet().resolve("pods").resolve(pod).resolve("volumes/kubernetes.io~csi/pv/mount");
    }

    void unpublish(String pod) {
        calls().nodeUnpublishVolume(NodeUnpublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setTargetPath(target(pod).toString())
                .build());
    }

    void unstage() {
        calls().nodeUnstageVolume(NodeUnstageVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setStagingTargetPath(staging.toString())
                .build());
    }

    void delete() {
        controllerCalls()
                .deleteVolume(
                        DeleteVolumeRequest.newBuilder().setVolumeId(volume).build());
    }

    @Override
    public void close() {
        node.close();
        controller.close();
    }
}
