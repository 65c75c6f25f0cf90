package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import csi.v1.Csi.NodeGetCapabilitiesRequest;
import csi.v1.Csi.NodeGetInfoRequest;
import csi.v1.Csi.NodeGetVolumeStatsRequest;
import csi.v1.Csi.NodeUnpublishVolumeRequest;
import csi.v1.Csi.VolumeCapability.AccessMode.Mode;
import csi.v1.Csi.VolumeUsage;
import dev.larder.csi.NodeVolumeException.Reason;
import dev.larder.linux.Mounts;
import dev.larder.linux.Processes;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CSI's Node service over its socket, with real mounts. */
class NodeServiceTest {
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

    @Test
    void podsOfANodeShareTheVolume() throws IOException {
        node.stage();
        Path first = node.publish("pod-1");
        Path second = node.publish("pod-2");
        Files.writeString(first.resolve("file"), "text");
        assertEquals("text", Files.readString(second.resolve("file")));
        node.unpublish(first);
        assertFalse(Files.exists(first));
        assertEquals("text", Files.readString(second.resolve("file")));
        node.unpublish(second);
        node.unstage();
        assertFalse(node.volumes.isMounted(node.volume));
        assertNull(Mounts.at(node.staging));
        assertFalse(node.volumes.exclusive.get(node.volume));
    }

    @Test
    void everyCallMayComeTwiceAndToANewProcess() throws IOException {
        node.stage();
        node.restart();
        node.stage();
        Path target = node.publish("pod-1");
        node.restart();
        assertEquals(target, node.publish("pod-1"));
        assertEquals(
                1,
                Mounts.list().stream()
                        .filter(mount -> mount.target().equals(target))
                        .count());
        node.unpublish(target);
        node.restart();
        node.unpublish(target);
        node.unstage();
        node.restart();
        node.unstage();
        assertFalse(node.volumes.isMounted(node.volume));
    }

    @Test
    void aPublishThatDiedAfterItsDirectoryIsDoneToItsEnd() throws IOException {
        node.stage();
        Path target = Files.createDirectory(node.target("pod-1"));
        node.publish("pod-1");
        assertNotNull(Mounts.at(target));
        Mounts.unmount(target, 0);
        node.unpublish(target);
        assertFalse(Files.exists(target));
    }

    @Test
    void nobodyWritesBelowAMountThatIsGone() throws IOException {
        node.stage();
        Path target = node.publish("pod-1");
        Mounts.unmount(target, 0);
        FileSystemException refused =
                assertThrows(FileSystemException.class, () -> Files.createFile(target.resolve("file")));
        assertTrue(refused.getMessage().contains("not permitted"), refused.getMessage());
        node.unpublish(target);
        assertFalse(Files.exists(target));
    }

    @Test
    void readersCannotWrite() throws IOException {
        node.stage();
        Path writer = node.publish("writer");
        Path reader = node.target("reader");
        node.calls()
                .nodePublishVolume(node.publishRequest(reader).setReadonly(true).build());
        Path other = node.target("rox");
        node.calls()
                .nodePublishVolume(node.publishRequest(other)
                        .setVolumeCapability(NodeFixture.capability(Mode.MULTI_NODE_READER_ONLY))
                        .build());
        Files.writeString(writer.resolve("file"), "text");
        for (Path readOnly : new Path[] {reader, other}) {
            assertEquals("text", Files.readString(readOnly.resolve("file")));
            assertThrows(FileSystemException.class, () -> Files.writeString(readOnly.resolve("file"), "other"));
        }
    }

    @Test
    void readWriteOncePodRefusesASecondTarget() throws IOException {
        var capability = NodeFixture.capability(Mode.SINGLE_NODE_SINGLE_WRITER);
        node.calls()
                .nodeStageVolume(
                        node.stageRequest().setVolumeCapability(capability).build());
        Path first = node.target("pod-1");
        Path second = node.target("pod-2");
        node.calls()
                .nodePublishVolume(node.publishRequest(first)
                        .setVolumeCapability(capability)
                        .build());
        String message = NodeFixture.refused(
                Status.Code.FAILED_PRECONDITION,
                () -> node.calls()
                        .nodePublishVolume(node.publishRequest(second)
                                .setVolumeCapability(capability)
                                .build()));
        assertTrue(message.contains(first.toString()), message);
        assertTrue(node.volumes.exclusive.get(node.volume));
        assertFalse(Files.exists(second));
    }

    @Test
    void aPublishedVolumeAdoptsItsSecretAndNeverFails() throws IOException {
        node.stage();
        Path target = node.publish("pod-1");
        node.calls()
                .nodePublishVolume(node.publishRequest(target)
                        .putAllSecrets(node.secret(2))
                        .build());
        assertEquals("geheim-2", node.volumes.secrets.get(node.volume).files().get("password"));

        node.volumes.failure = new NodeVolumeException(Reason.NO_AGENT, "none");
        node.calls()
                .nodePublishVolume(node.publishRequest(target)
                        .clearSecrets()
                        .clearVolumeCapability()
                        .setStagingTargetPath("")
                        .build());
        assertNotNull(Mounts.at(target));
    }

    @Test
    void aMountThatNobodyServesHoldsNoCallUp() throws IOException {
        node.volumes.hanging = true;
        node.stage();
        Path target = node.publish("pod-1");
        node.volumes.silent = true;
        var stats = node.calls()
                .nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                        .setVolumeId(node.volume.toString())
                        .setVolumePath(target.toString())
                        .build());
        assertTrue(stats.getVolumeCondition().getAbnormal());
        node.publish("pod-1");
        node.unpublish(target);
        node.unstage();
        assertFalse(node.volumes.isMounted(node.volume));
        assertFalse(Files.exists(target));
    }

    @Test
    void deadMountsAreTakenDown() throws IOException {
        node.volumes.hanging = true;
        node.stage();
        Path target = node.publish("pod-1");
        node.volumes.unserved.get(node.volume).close();
        node.unpublish(target);
        node.unstage();
        assertNull(Mounts.at(node.staging));
        assertFalse(Files.exists(target));
    }

    @Test
    void aNewPodGetsTheNewMountAfterTheOldWasGivenUp() throws IOException {
        node.stage();
        Path old = node.publish("pod-1");
        node.volumes.mountAnew(node.volume);
        Path fresh = node.publish("pod-2");
        Files.writeString(fresh.resolve("file"), "text");
        assertTrue(Files.exists(node.paths.volumeMount(node.volume).resolve("file")));
        assertFalse(Files.exists(old.resolve("file")));
        var stats = node.calls()
                .nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                        .setVolumeId(node.volume.toString())
                        .setVolumePath(old.toString())
                        .build());
        assertTrue(stats.getVolumeCondition().getAbnormal());
    }

    @Test
    void aVolumeOfTwoPersistentVolumesStaysUntilTheLastIsUnstaged() throws IOException {
        node.stage();
        Path other = Files.createDirectories(node.staging.resolveSibling("other"));
        node.calls()
                .nodeStageVolume(node.stageRequest()
                        .setVolumeId(node.volume + "/reader")
                        .setStagingTargetPath(other.toString())
                        .build());
        node.unstage();
        assertTrue(node.volumes.isMounted(node.volume));
        node.calls()
                .nodeUnstageVolume(node.unstageRequest().toBuilder()
                        .setStagingTargetPath(other.toString())
                        .build());
        assertFalse(node.volumes.isMounted(node.volume));
    }

    @Test
    void aPublishedVolumeIsNotUnstaged() throws IOException {
        node.stage();
        Path target = node.publish("pod-1");
        String message = NodeFixture.refused(
                Status.Code.FAILED_PRECONDITION, () -> node.calls().nodeUnstageVolume(node.unstageRequest()));
        assertTrue(message.contains(target.toString()), message);
        assertTrue(node.volumes.isMounted(node.volume));
    }

    @Test
    void theRootDirectoryIsGivenToTheFirstGroupOnly() throws IOException {
        node.stage();
        Path root = node.paths.volumeMount(node.volume);
        var first = NodeFixture.capability(Mode.MULTI_NODE_MULTI_WRITER, "2000");
        var second = NodeFixture.capability(Mode.MULTI_NODE_MULTI_WRITER, "3000");
        node.calls()
                .nodePublishVolume(node.publishRequest(node.target("pod-1"))
                        .setVolumeCapability(first)
                        .build());
        assertEquals(2000, Files.getAttribute(root, "unix:gid"));
        assertEquals(042775, Files.getAttribute(root, "unix:mode"));
        node.calls()
                .nodePublishVolume(node.publishRequest(node.target("pod-2"))
                        .setVolumeCapability(second)
                        .build());
        assertEquals(2000, Files.getAttribute(root, "unix:gid"));
    }

    @Test
    void aGroupThatWasGivenByHalfIsGivenByTheNextCall() throws IOException {
        node.stage();
        Path root = node.paths.volumeMount(node.volume);
        Files.setAttribute(root, "unix:gid", 2000);
        node.calls()
                .nodePublishVolume(node.publishRequest(node.target("pod-1"))
                        .setVolumeCapability(NodeFixture.capability(Mode.MULTI_NODE_MULTI_WRITER, "2000"))
                        .build());
        assertEquals(2000, Files.getAttribute(root, "unix:gid"));
        assertEquals(042775, Files.getAttribute(root, "unix:mode"));
    }

    @Test
    void aRootDirectoryThatSomebodyChangedIsLeftAlone() throws IOException {
        node.stage();
        Path root = node.paths.volumeMount(node.volume);
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
        node.calls()
                .nodePublishVolume(node.publishRequest(node.target("pod-1"))
                        .setVolumeCapability(NodeFixture.capability(Mode.MULTI_NODE_MULTI_WRITER, "2000"))
                        .build());
        assertEquals(0, Files.getAttribute(root, "unix:gid"));
        assertEquals(040700, Files.getAttribute(root, "unix:mode"));
    }

    @Test
    void withoutAnAgentAPodWaitsAndIsToldWhereToLook() throws IOException {
        node.volumes.failure = new NodeVolumeException(Reason.NO_AGENT, "no agent came to serve it within 110 s");
        String message = NodeFixture.refused(
                Status.Code.UNAVAILABLE,
                () -> node.calls().nodeStageVolume(node.stageRequest().build()));
        assertTrue(message.startsWith("no agent came"), message);
        assertTrue(message.endsWith("--field-selector spec.nodeName=node-1"), message);
    }

    @Test
    void podsAreTakenDownWhileOthersWaitForAnAgent() throws Exception {
        node.stage();
        Path first = node.publish("pod-1");
        Path second = node.publish("pod-2");
        node.volumes.agent = new CountDownLatch(1);
        node.volumes.waits.drainPermits();
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<Path> third = executor.submit(() -> node.publish("pod-3"));
            assertTrue(node.volumes.waits.tryAcquire(60, TimeUnit.SECONDS));
            node.unpublish(first);
            assertEquals(second, node.publish("pod-2"));
            assertFalse(third.isDone());
            node.volumes.agent.countDown();
            assertNotNull(Mounts.at(third.get(60, TimeUnit.SECONDS)));
        }
        assertNull(Mounts.at(first));
    }

    @Test
    void anEmptyDirectoryIsNeverBoundInPlaceOfAVolume() throws IOException {
        node.stage();
        Path target = node.target("pod-1");
        node.volumes.unmountBehind = true;
        NodeFixture.refused(
                Status.Code.UNAVAILABLE,
                () -> node.calls().nodePublishVolume(node.publishRequest(target).build()));
        assertNull(Mounts.at(target));
    }

    @Test
    void somethingElseThatIsMountedThereStays() throws IOException {
        node.stage();
        Path target = Files.createDirectory(node.target("pod-1"));
        Mounts.mount("other", target, "tmpfs", 0, "size=1m");
        NodeFixture.refused(
                Status.Code.FAILED_PRECONDITION,
                () -> node.calls().nodePublishVolume(node.publishRequest(target).build()));
        var request = NodeUnpublishVolumeRequest.newBuilder()
                .setVolumeId(node.volume.toString())
                .setTargetPath(target.toString())
                .build();
        NodeFixture.refused(Status.Code.FAILED_PRECONDITION, () -> node.calls().nodeUnpublishVolume(request));
        assertEquals("other", Mounts.at(target).source());
    }

    @Test
    void filesBelowATargetAreNotDeleted() throws IOException {
        node.stage();
        Path target = Files.createDirectory(node.target("pod-1"));
        Path file = Files.createFile(target.resolve("written-by-hand"));
        var request = NodeUnpublishVolumeRequest.newBuilder()
                .setVolumeId(node.volume.toString())
                .setTargetPath(target.toString())
                .build();
        NodeFixture.refused(Status.Code.FAILED_PRECONDITION, () -> node.calls().nodeUnpublishVolume(request));
        assertTrue(Files.exists(file));
    }

    @Test
    void statsTellUsageAndCondition() throws IOException {
        node.stage();
        Path target = node.publish("pod-1");
        var request = NodeGetVolumeStatsRequest.newBuilder()
                .setVolumeId(node.volume.toString())
                .setVolumePath(target.toString())
                .build();
        var stats = node.calls().nodeGetVolumeStats(request);
        assertFalse(stats.getVolumeCondition().getAbnormal());
        VolumeUsage bytes = stats.getUsage(0);
        assertEquals(VolumeUsage.Unit.BYTES, bytes.getUnit());
        assertEquals(1000, bytes.getTotal());
        assertEquals(100, bytes.getUsed());
        assertEquals(900, bytes.getAvailable());
        NodeFixture.refused(
                Status.Code.NOT_FOUND,
                () -> node.calls()
                        .nodeGetVolumeStats(request.toBuilder()
                                .setVolumeId(UUID.randomUUID().toString())
                                .build()));
        NodeFixture.refused(
                Status.Code.NOT_FOUND,
                () -> node.calls()
                        .nodeGetVolumeStats(
                                request.toBuilder().setVolumePath("some/path").build()));
    }

    @Test
    void capabilitiesAndTheNodesName() {
        var capabilities = node.calls().nodeGetCapabilities(NodeGetCapabilitiesRequest.getDefaultInstance());
        assertEquals(5, capabilities.getCapabilitiesCount());
        var info = node.calls().nodeGetInfo(NodeGetInfoRequest.getDefaultInstance());
        assertEquals("node-1", info.getNodeId());
        assertEquals(100, info.getMaxVolumesPerNode());
        assertFalse(info.hasAccessibleTopology());
    }
}
