package dev.larder.csi.controller;

import csi.v1.ControllerGrpc;
import csi.v1.Csi.ControllerExpandVolumeRequest;
import csi.v1.Csi.ControllerExpandVolumeResponse;
import csi.v1.Csi.ControllerGetCapabilitiesRequest;
import csi.v1.Csi.ControllerGetCapabilitiesResponse;
import csi.v1.Csi.ControllerServiceCapability;
import csi.v1.Csi.ControllerServiceCapability.RPC;
import csi.v1.Csi.CreateVolumeRequest;
import csi.v1.Csi.CreateVolumeResponse;
import csi.v1.Csi.DeleteVolumeRequest;
import csi.v1.Csi.DeleteVolumeResponse;
import csi.v1.Csi.ListVolumesRequest;
import csi.v1.Csi.ListVolumesResponse;
import csi.v1.Csi.ValidateVolumeCapabilitiesRequest;
import csi.v1.Csi.ValidateVolumeCapabilitiesResponse;
import csi.v1.Csi.Volume;
import dev.larder.csi.Calls;
import dev.larder.csi.CsiException;
import dev.larder.csi.VolumeHandle;
import dev.larder.csi.VolumeLocks;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** CSI's Controller service: requests are checked here, and {@link ClaimVolumes} acts. */
final class ControllerService extends ControllerGrpc.ControllerImplBase {
    private static final List<RPC.Type> CAPABILITIES = List.of(
            RPC.Type.CREATE_DELETE_VOLUME,
            RPC.Type.EXPAND_VOLUME,
            RPC.Type.LIST_VOLUMES,
            RPC.Type.SINGLE_NODE_MULTI_WRITER);

    /** CSI, "Size Limits". */
    private static final int MAX_NAME_BYTES = 128;

    private final String releaseNamespace;
    private final SharedVolumes volumes;
    private final ClaimVolumes claims;
    private final VolumeLocks<String> locks;
    private final Calls calls;

    ControllerService(
            String releaseNamespace,
            SharedVolumes volumes,
            ClaimVolumes claims,
            VolumeLocks<String> locks,
            Calls calls) {
        this.releaseNamespace = releaseNamespace;
        this.volumes = volumes;
        this.claims = claims;
        this.locks = locks;
        this.calls = calls;
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> observer) {
        calls.answer("CreateVolume", observer, () -> {
            WantedVolume wanted = wanted(request);
            Capacity capacity = Capacity.parse(request.getCapacityRange());
            return locks.with(request.getName(), "CreateVolume", () -> {
                VolumeObject made = claims.create(wanted, capacity);
                return CreateVolumeResponse.newBuilder().setVolume(answer(made)).build();
            });
        });
    }

    private WantedVolume wanted(CreateVolumeRequest request) {
        String name = request.getName();
        if (name.isEmpty() || name.length() > MAX_NAME_BYTES) {
            throw CsiException.invalid("name must have between 1 and " + MAX_NAME_BYTES + " characters");
        }
        List<String> modes = AccessModes.of(request.getVolumeCapabilitiesList());
        if (request.hasVolumeContentSource()) {
            throw CsiException.invalid("a volume cannot be made from a snapshot or another volume")
                    .next("kubectl explain persistentvolumeclaim.spec.dataSource (leave it out)");
        }
        if (request.getChangeableParametersCount() > 0) {
            throw CsiException.invalid("a SharedVolume knows no VolumeAttributesClass")
                    .next("kubectl explain persistentvolumeclaim.spec.volumeAttributesClassName (leave it out)");
        }
        VolumeSettings settings = VolumeSettings.parse(request.getParametersMap());
        ClaimNames names = ClaimNames.of(name, request.getParametersMap(), releaseNamespace);
        long bytes = Capacity.parse(request.getCapacityRange()).requiredBytes();
        return new WantedVolume(names, settings, modes, bytes);
    }

    private static Volume answer(VolumeObject volume) {
        return Volume.newBuilder()
                .setVolumeId(volume.volume().toString())
                .setCapacityBytes(volume.capacityBytes())
                .putVolumeContext("larder.dev/volume", volume.fullName())
                .build();
    }

    @Override
    public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> observer) {
        calls.answer("DeleteVolume", observer, () -> {
            String id = required(request.getVolumeId());
            return locks.with(id, "DeleteVolume", () -> {
                VolumeHandle handle = VolumeHandle.parseOrNull(id);
                // What is no handle of this driver names nothing that could be left.
                if (handle != null) {
                    claims.delete(handle);
                }
                return DeleteVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void controllerExpandVolume(
            ControllerExpandVolumeRequest request, StreamObserver<ControllerExpandVolumeResponse> observer) {
        calls.answer("ControllerExpandVolume", observer, () -> {
            VolumeHandle handle = VolumeHandle.parse(request.getVolumeId());
            if (!request.hasCapacityRange()) {
                throw CsiException.invalid("capacity_range is missing");
            }
            Capacity capacity = Capacity.parse(request.getCapacityRange());
            return locks.with(
                    request.getVolumeId(),
                    "ControllerExpandVolume",
                    () -> ControllerExpandVolumeResponse.newBuilder()
                            .setCapacityBytes(claims.expand(handle, capacity))
                            .setNodeExpansionRequired(false)
                            .build());
        });
    }

    @Override
    public void validateVolumeCapabilities(
            ValidateVolumeCapabilitiesRequest request, StreamObserver<ValidateVolumeCapabilitiesResponse> observer) {
        calls.answer("ValidateVolumeCapabilities", observer, () -> {
            String id = required(request.getVolumeId());
            if (request.getVolumeCapabilitiesCount() == 0) {
                throw CsiException.invalid("volume_capabilities are missing");
            }
            VolumeHandle handle = VolumeHandle.parseOrNull(id);
            if (handle == null) {
                throw CsiException.notFound("there is no volume with such an id");
            }
            claims.existing(handle);
            return validated(request);
        });
    }

    private static ValidateVolumeCapabilitiesResponse validated(ValidateVolumeCapabilitiesRequest request) {
        ValidateVolumeCapabilitiesResponse.Builder answer = ValidateVolumeCapabilitiesResponse.newBuilder();
        try {
            AccessModes.of(request.getVolumeCapabilitiesList());
            VolumeSettings.parse(request.getParametersMap());
        } catch (CsiException e) {
            return answer.setMessage(e.getMessage()).build();
        }
        return answer.setConfirmed(ValidateVolumeCapabilitiesResponse.Confirmed.newBuilder()
                        .addAllVolumeCapabilities(request.getVolumeCapabilitiesList())
                        .putAllVolumeContext(request.getVolumeContextMap())
                        .putAllParameters(request.getParametersMap()))
                .build();
    }

    @Override
    public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> observer) {
        calls.answer("ListVolumes", observer, () -> VolumePage.of(volumes.list(), request));
    }

    @Override
    public void controllerGetCapabilities(
            ControllerGetCapabilitiesRequest request, StreamObserver<ControllerGetCapabilitiesResponse> observer) {
        calls.answer("ControllerGetCapabilities", observer, () -> {
            ControllerGetCapabilitiesResponse.Builder answer = ControllerGetCapabilitiesResponse.newBuilder();
            for (RPC.Type type : CAPABILITIES) {
                answer.addCapabilities(ControllerServiceCapability.newBuilder()
                        .setRpc(RPC.newBuilder().setType(type)));
            }
            return answer.build();
        });
    }

    private static String required(String volumeId) {
        if (volumeId.isEmpty()) {
            throw CsiException.invalid("volume_id is missing");
        }
        return volumeId;
    }
}
