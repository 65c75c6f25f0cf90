package dev.larder.csi.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import csi.v1.ControllerGrpc;
import csi.v1.Csi.CapacityRange;
import csi.v1.Csi.ControllerExpandVolumeRequest;
import csi.v1.Csi.CreateVolumeRequest;
import csi.v1.Csi.DeleteVolumeRequest;
import csi.v1.Csi.ListVolumesRequest;
import csi.v1.Csi.ValidateVolumeCapabilitiesRequest;
import csi.v1.Csi.Volume;
import csi.v1.Csi.VolumeCapability;
import csi.v1.Csi.VolumeCapability.AccessMode.Mode;
import csi.v1.Csi.VolumeContentSource;
import dev.larder.csi.UnixChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** CSI's Controller service over its socket. */
class ControllerServiceTest {
    private static final long GIB = 1L << 30;

    @TempDir
    Path directory;

    private final ListedVolumes volumes = new ListedVolumes();
    private CsiController controller;
    private UnixChannel channel;

    @BeforeEach
    void start() throws IOException {
        Path socket = directory.resolve("csi.sock");
        CsiControllerOptions options = new CsiControllerOptions();
        new CommandLine(options).parseArgs("--namespace=larder", "--csi-address=" + socket, "--health-port=0");
        options.check();
        controller = CsiController.start(options, volumes);
        channel = UnixChannel.open(socket);
    }

    @AfterEach
    void stop() {
        channel.close();
        controller.close();
    }

    private ControllerGrpc.ControllerBlockingStub calls() {
        return ControllerGrpc.newBlockingStub(channel.channel()).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    private static VolumeCapability capability(Mode mode) {
        return VolumeCapability.newBuilder()
                .setMount(VolumeCapability.MountVolume.getDefaultInstance())
                .setAccessMode(VolumeCapability.AccessMode.newBuilder().setMode(mode))
                .build();
    }

    private static CreateVolumeRequest.Builder request() {
        return CreateVolumeRequest.newBuilder()
                .setName("pvc-0f0e0d0c-0000-4000-8000-000000000001")
                .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(10 * GIB))
                .addVolumeCapabilities(capability(Mode.MULTI_NODE_MULTI_WRITER))
                .putParameters("csi.storage.k8s.io/pvc/namespace", "team")
                .putParameters("csi.storage.k8s.io/pvc/name", "data");
    }

    private Volume create(UnaryOperator<CreateVolumeRequest.Builder> change) {
        return calls().createVolume(change.apply(request()).build()).getVolume();
    }

    private static String refused(Status.Code code, Executable call) {
        Status status = assertThrows(StatusRuntimeException.class, call).getStatus();
        assertEquals(code, status.getCode(), status.getDescription());
        assertTrue(status.getDescription().contains("; next: "), status.getDescription());
        return status.getDescription();
    }

    @Test
    void aClaimBecomesASharedVolumeInItsNamespace() {
        Volume volume = create(request -> request.putParameters("metadataStore", "postgres-a"));
        VolumeObject made = volumes.objects.firstEntry().getValue();
        assertEquals("team", made.namespace());
        assertTrue(made.name().matches("pvc-[0-9a-f]{32}"), made.name());
        assertEquals(made.volume().toString(), volume.getVolumeId());
        assertEquals(10 * GIB, volume.getCapacityBytes());
        assertEquals("team/" + made.name(), volume.getVolumeContextOrThrow("larder.dev/volume"));
        assertEquals("team/data", volumes.lastWanted.names().claim());
        assertEquals(request().getName(), volumes.lastWanted.names().persistentVolume());
        assertEquals(List.of("ReadWriteMany"), volumes.lastWanted.accessModes());
        assertEquals(
                new VolumeSettings("postgres-a", null, "closeToOpen", "onFsync", "Delete"),
                volumes.lastWanted.settings());
    }

    @Test
    void withoutTheProvisionersMetadataItIsMadeInTheReleasesNamespace() {
        create(CreateVolumeRequest.Builder::clearParameters);
        assertEquals("larder", volumes.objects.firstEntry().getValue().namespace());
    }

    @Test
    void theSameNameIsTheSameVolumeOrRefused() {
        Volume first = create(request -> request);
        assertEquals(first, create(request -> request));
        assertEquals(
                first,
                create(request -> request.setCapacityRange(
                        CapacityRange.newBuilder().setRequiredBytes(GIB).setLimitBytes(20 * GIB))));
        refused(
                Status.Code.ALREADY_EXISTS,
                () -> create(request ->
                        request.setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(11 * GIB))));
        refused(Status.Code.ALREADY_EXISTS, () -> create(request -> request.putParameters("durability", "onClose")));
        assertEquals(1, volumes.objects.size());
    }

    @Test
    void aVolumeThatIsNotReadyInTimeIsContinuedByTheNextCall() {
        volumes.problem = "StoreUnreachable: no route to the bucket";
        String message = refused(Status.Code.DEADLINE_EXCEEDED, () -> create(request -> request));
        assertTrue(message.contains("no route to the bucket"), message);
        assertTrue(message.contains("kubectl describe sharedvolume -n team"), message);
        volumes.work();
        assertEquals(10 * GIB, create(request -> request).getCapacityBytes());
        assertEquals(1, volumes.objects.size());
    }

    @Test
    void wrongRequestsMakeNothing() {
        refused(Status.Code.INVALID_ARGUMENT, () -> create(request -> request.setName("")));
        refused(Status.Code.INVALID_ARGUMENT, () -> create(request -> request.setName("x".repeat(129))));
        refused(Status.Code.INVALID_ARGUMENT, () -> create(CreateVolumeRequest.Builder::clearVolumeCapabilities));
        refused(Status.Code.INVALID_ARGUMENT, () -> create(request -> request.putParameters("bucket", "other")));
        refused(Status.Code.INVALID_ARGUMENT, () -> create(request -> request.putParameters("writeBack", "true")));
        refused(Status.Code.INVALID_ARGUMENT, () -> create(request -> request.putParameters("durability", "never")));
        refused(Status.Code.INVALID_ARGUMENT, () -> create(request -> request.putParameters("objectStore", "../x")));
        refused(
                Status.Code.INVALID_ARGUMENT,
                () -> create(request -> request.setVolumeContentSource(VolumeContentSource.getDefaultInstance())));
        refused(
                Status.Code.INVALID_ARGUMENT,
                () -> create(request -> request.setCapacityRange(
                        CapacityRange.newBuilder().setRequiredBytes(2).setLimitBytes(1))));
        refused(
                Status.Code.INVALID_ARGUMENT,
                () -> create(request -> request.addVolumeCapabilities(capability(Mode.SINGLE_NODE_SINGLE_WRITER))));
        assertTrue(volumes.objects.isEmpty());
    }

    private void delete(String id) {
        var answer = calls().deleteVolume(
                        DeleteVolumeRequest.newBuilder().setVolumeId(id).build());
        assertEquals(0, answer.getSerializedSize());
    }

    @Test
    void deletingMayComeTwice() {
        Volume volume = create(request -> request);
        delete(volume.getVolumeId());
        assertTrue(volumes.objects.isEmpty());
        delete(volume.getVolumeId());
        delete("no-handle");
        refused(Status.Code.INVALID_ARGUMENT, () -> delete(""));
    }

    @Test
    void aVolumeInUseIsNotGone() {
        Volume volume = create(request -> request);
        volumes.problem = "InUse: 2 nodes have it mounted";
        String message = refused(Status.Code.DEADLINE_EXCEEDED, () -> delete(volume.getVolumeId()));
        assertTrue(message.contains("2 nodes"), message);
        volumes.work();
        delete(volume.getVolumeId());
        assertTrue(volumes.objects.isEmpty());
    }

    private long expand(String id, long bytes) {
        return calls().controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                        .setVolumeId(id)
                        .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(bytes))
                        .build())
                .getCapacityBytes();
    }

    @Test
    void volumesGrowAndNeverShrink() {
        String id = create(request -> request).getVolumeId();
        assertEquals(20 * GIB, expand(id, 20 * GIB));
        assertEquals(20 * GIB, expand(id, 5 * GIB));
        refused(Status.Code.NOT_FOUND, () -> expand(UUID.randomUUID().toString(), GIB));
        refused(
                Status.Code.OUT_OF_RANGE,
                () -> calls().controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                        .setVolumeId(id)
                        .setCapacityRange(CapacityRange.newBuilder().setLimitBytes(GIB))
                        .build()));
        volumes.problem = "DatabaseAway";
        refused(Status.Code.DEADLINE_EXCEEDED, () -> expand(id, 30 * GIB));
        volumes.work();
        assertEquals(30 * GIB, expand(id, 30 * GIB));
    }

    @Test
    void aSharedVolumeOfItsOwnIsNotChangedByAClaim() {
        VolumeObject own = volumes.put("team", "own", null, VolumeSettings.parse(Map.of()), GIB);
        refused(Status.Code.FAILED_PRECONDITION, () -> delete(own.volume().toString()));
        refused(Status.Code.FAILED_PRECONDITION, () -> expand(own.volume().toString(), 2 * GIB));
        assertEquals(GIB, expand(own.volume().toString(), GIB));
        assertEquals(own, volumes.find(own.volume()));
    }

    @Test
    void listsInPages() {
        for (int i = 0; i < 5; i++) {
            String name = "volume-" + i;
            create(request -> request.setName(name));
        }
        var all = calls().listVolumes(ListVolumesRequest.getDefaultInstance());
        assertEquals(5, all.getEntriesCount());
        assertEquals("", all.getNextToken());
        var first = calls().listVolumes(
                        ListVolumesRequest.newBuilder().setMaxEntries(3).build());
        assertEquals(3, first.getEntriesCount());
        delete(first.getEntries(2).getVolume().getVolumeId());
        var second = calls().listVolumes(ListVolumesRequest.newBuilder()
                .setStartingToken(first.getNextToken())
                .build());
        assertEquals(all.getEntriesList().subList(3, 5), second.getEntriesList());
        refused(
                Status.Code.ABORTED,
                () -> calls().listVolumes(ListVolumesRequest.newBuilder()
                        .setStartingToken("x")
                        .build()));
    }

    @Test
    void capabilitiesAreConfirmedOrNot() {
        String id = create(request -> request).getVolumeId();
        var request = ValidateVolumeCapabilitiesRequest.newBuilder()
                .setVolumeId(id)
                .addVolumeCapabilities(capability(Mode.MULTI_NODE_READER_ONLY))
                .build();
        assertTrue(calls().validateVolumeCapabilities(request).hasConfirmed());
        var block = request.toBuilder()
                .addVolumeCapabilities(capability(Mode.MULTI_NODE_MULTI_WRITER).toBuilder()
                        .setBlock(VolumeCapability.BlockVolume.getDefaultInstance()))
                .build();
        var answer = calls().validateVolumeCapabilities(block);
        assertFalse(answer.hasConfirmed());
        assertTrue(answer.getMessage().contains("block"), answer.getMessage());
        var unknown =
                request.toBuilder().setVolumeId(UUID.randomUUID().toString()).build();
        refused(Status.Code.NOT_FOUND, () -> calls().validateVolumeCapabilities(unknown));
    }
}
