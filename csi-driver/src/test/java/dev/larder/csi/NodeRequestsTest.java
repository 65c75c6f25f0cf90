package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import csi.v1.Csi.NodePublishVolumeRequest;
import csi.v1.Csi.NodeStageVolumeRequest;
import csi.v1.Csi.NodeUnpublishVolumeRequest;
import csi.v1.Csi.NodeUnstageVolumeRequest;
import csi.v1.Csi.VolumeCapability;
import csi.v1.Csi.VolumeCapability.AccessMode.Mode;
import csi.v1.Csi.VolumeCapability.MountVolume;
import dev.larder.linux.Mounts;
import dev.larder.linux.Processes;
import io.grpc.Status.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that are wrong in one thing: each is refused with its code and a command, and nothing is mounted. */
class NodeRequestsTest {
    @TempDir
    Path directory;

    private NodeFixture node;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(Processes.effectiveUser() == 0, "mount(2) needs root");
        node = new NodeFixture(directory);
    }

    @AfterEach
    void stop() {
        if (node != null) {
            node.close();
        }
    }

    private void stageRefused(Code code, UnaryOperator<NodeStageVolumeRequest.Builder> change) {
        String message = NodeFixture.refused(
                code,
                () -> node.calls()
                        .nodeStageVolume(change.apply(node.stageRequest()).build()));
        assertTrue(message.contains("; next: "), message);
        assertFalse(message.contains("geheim"), message);
        assertFalse(node.volumes.isMounted(node.volume), message);
    }

    private void publishRefused(Code code, UnaryOperator<NodePublishVolumeRequest.Builder> change) throws IOException {
        Path target = node.target("pod-1");
        String message = NodeFixture.refused(
                code,
                () -> node.calls()
                        .nodePublishVolume(
                                change.apply(node.publishRequest(target)).build()));
        assertTrue(message.contains("; next: "), message);
        assertFalse(Files.exists(target), message);
    }

    private static VolumeCapability mount(MountVolume.Builder mount) {
        return NodeFixture.capability(Mode.MULTI_NODE_MULTI_WRITER).toBuilder()
                .setMount(mount)
                .build();
    }

    @Test
    void handles() {
        for (String handle : new String[] {
            "",
            "x",
            node.volume.toString().toUpperCase(Locale.ROOT),
            node.volume + "/",
            node.volume + "/../x",
            node.volume + "/a/b",
            node.volume + "\n",
            node.volume + "/" + "a".repeat(128)
        }) {
            stageRefused(Code.INVALID_ARGUMENT, request -> request.setVolumeId(handle));
        }
    }

    @Test
    void paths() {
        for (String path : new String[] {
            "",
            "relative",
            "/etc",
            node.kubelet.toString(),
            node.kubelet + "/plugins/../../etc",
            node.kubelet + "/./x",
            node.kubelet + "x/y",
            node.paths.plugin() + "/mounts/x",
            node.kubelet + "/" + "a".repeat(5000)
        }) {
            stageRefused(Code.INVALID_ARGUMENT, request -> request.setStagingTargetPath(path));
        }
    }

    @Test
    void capabilities() {
        stageRefused(Code.INVALID_ARGUMENT, NodeStageVolumeRequest.Builder::clearVolumeCapability);
        stageRefused(
                Code.INVALID_ARGUMENT,
                request -> request.setVolumeCapability(NodeFixture.capability(Mode.MULTI_NODE_MULTI_WRITER).toBuilder()
                        .setBlock(VolumeCapability.BlockVolume.getDefaultInstance())));
        stageRefused(
                Code.INVALID_ARGUMENT, request -> request.setVolumeCapability(NodeFixture.capability(Mode.UNKNOWN)));
        stageRefused(
                Code.INVALID_ARGUMENT,
                request -> request.setVolumeCapability(NodeFixture.capability(Mode.MULTI_NODE_SINGLE_WRITER)));
        stageRefused(
                Code.INVALID_ARGUMENT,
                request -> request.setVolumeCapability(
                        mount(MountVolume.newBuilder().setFsType("ext4"))));
        stageRefused(
                Code.INVALID_ARGUMENT,
                request -> request.setVolumeCapability(
                        mount(MountVolume.newBuilder().addMountFlags("allow_other"))));
        stageRefused(
                Code.INVALID_ARGUMENT,
                request -> request.setVolumeCapability(
                        mount(MountVolume.newBuilder().setVolumeMountGroup("wheel"))));
    }

    @Test
    void attributes() {
        stageRefused(Code.INVALID_ARGUMENT, request -> request.putVolumeContext("mountOptions", "suid"));
        stageRefused(
                Code.INVALID_ARGUMENT, request -> request.putVolumeContext("csi.storage.k8s.io/ephemeral", "true"));
    }

    @Test
    void secrets() {
        stageRefused(Code.FAILED_PRECONDITION, NodeStageVolumeRequest.Builder::clearSecrets);
        stageRefused(Code.FAILED_PRECONDITION, request -> request.removeSecrets("password"));
        stageRefused(Code.FAILED_PRECONDITION, request -> request.putSecrets("volume.json", "{"));
        stageRefused(Code.FAILED_PRECONDITION, request -> request.putSecrets("volume.json", "null"));
        stageRefused(
                Code.FAILED_PRECONDITION,
                request -> request.putSecrets("volume.json", Secrets.json(UUID.randomUUID(), 1)));
        String newer = Secrets.json(node.volume, 1).replace("\"version\":1", "\"version\":2");
        stageRefused(Code.FAILED_PRECONDITION, request -> request.putSecrets("volume.json", newer));
        String twoStores = Secrets.json(node.volume, 1).replace("\"postgres\":{}", "\"postgres\":{},\"s3\":{}");
        stageRefused(Code.FAILED_PRECONDITION, request -> request.putSecrets("volume.json", twoStores));
    }

    @Test
    void publishing() throws IOException {
        publishRefused(Code.FAILED_PRECONDITION, request -> request);
        node.stage();
        publishRefused(Code.INVALID_ARGUMENT, request -> request.setTargetPath(""));
        publishRefused(Code.INVALID_ARGUMENT, request -> request.setStagingTargetPath(""));
        publishRefused(Code.INVALID_ARGUMENT, NodePublishVolumeRequest.Builder::clearVolumeCapability);
        publishRefused(Code.INVALID_ARGUMENT, request -> request.setVolumeId("x"));
        publishRefused(Code.FAILED_PRECONDITION, NodePublishVolumeRequest.Builder::clearSecrets);
        publishRefused(
                Code.FAILED_PRECONDITION,
                request -> request.setStagingTargetPath(
                        node.staging.resolveSibling("none").toString()));
        assertEquals(0, Mounts.list().stream().filter(this::isBelowPods).count());
    }

    private boolean isBelowPods(Mounts.MountPoint mount) {
        return mount.target().startsWith(node.kubelet.resolve("pods"));
    }

    @Test
    void takingDown() {
        String volume = node.volume.toString();
        String path = node.staging.toString();
        var unpublish = NodeUnpublishVolumeRequest.newBuilder();
        NodeFixture.refused(
                Code.INVALID_ARGUMENT,
                () -> node.calls()
                        .nodeUnpublishVolume(
                                unpublish.clone().setTargetPath(path).build()));
        NodeFixture.refused(
                Code.INVALID_ARGUMENT,
                () -> node.calls()
                        .nodeUnpublishVolume(
                                unpublish.clone().setVolumeId(volume).build()));
        var unstage = NodeUnstageVolumeRequest.newBuilder();
        NodeFixture.refused(
                Code.INVALID_ARGUMENT,
                () -> node.calls()
                        .nodeUnstageVolume(
                                unstage.clone().setStagingTargetPath(path).build()));
        NodeFixture.refused(
                Code.INVALID_ARGUMENT,
                () -> node.calls()
                        .nodeUnstageVolume(unstage.clone().setVolumeId(volume).build()));
    }
}
