package dev.larder.csi;

import csi.v1.Csi.NodeGetCapabilitiesRequest;
import csi.v1.Csi.NodeGetCapabilitiesResponse;
import csi.v1.Csi.NodeGetInfoRequest;
import csi.v1.Csi.NodeGetInfoResponse;
import csi.v1.Csi.NodeGetVolumeStatsRequest;
import csi.v1.Csi.NodeGetVolumeStatsResponse;
import csi.v1.Csi.NodePublishVolumeRequest;
import csi.v1.Csi.NodePublishVolumeResponse;
import csi.v1.Csi.NodeServiceCapability;
import csi.v1.Csi.NodeServiceCapability.RPC;
import csi.v1.Csi.NodeStageVolumeRequest;
import csi.v1.Csi.NodeStageVolumeResponse;
import csi.v1.Csi.NodeUnpublishVolumeRequest;
import csi.v1.Csi.NodeUnpublishVolumeResponse;
import csi.v1.Csi.NodeUnstageVolumeRequest;
import csi.v1.Csi.NodeUnstageVolumeResponse;
import csi.v1.NodeGrpc;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * CSI's Node service: requests are checked here, and {@link NodeBinds} acts. Calls that may wait for an agent come one at a
 * time for each volume; those that take a target down wait for none of them.
 */
final class NodeService extends NodeGrpc.NodeImplBase {
    private static final List<RPC.Type> CAPABILITIES = List.of(
            RPC.Type.STAGE_UNSTAGE_VOLUME,
            RPC.Type.GET_VOLUME_STATS,
            RPC.Type.VOLUME_CONDITION,
            RPC.Type.VOLUME_MOUNT_GROUP,
            RPC.Type.SINGLE_NODE_MULTI_WRITER);

    private final String nodeName;
    private final long maxVolumes;
    private final NodePaths paths;
    private final NodeBinds binds;
    private final VolumeStats stats;
    private final VolumeLocks<UUID> mountLocks;
    private final Calls calls;

    /** @param maxVolumes that the scheduler may place on this node */
    NodeService(
            String nodeName,
            long maxVolumes,
            NodePaths paths,
            NodeBinds binds,
            VolumeStats stats,
            VolumeLocks<UUID> mountLocks,
            Calls calls) {
        this.nodeName = nodeName;
        this.maxVolumes = maxVolumes;
        this.paths = paths;
        this.binds = binds;
        this.stats = stats;
        this.mountLocks = mountLocks;
        this.calls = calls;
    }

    @Override
    public void nodeStageVolume(NodeStageVolumeRequest request, StreamObserver<NodeStageVolumeResponse> observer) {
        calls.answer("NodeStageVolume", observer, () -> {
            UUID volume = VolumeHandle.parse(request.getVolumeId()).volume();
            Path staging = staging(request.getStagingTargetPath());
            VolumeUse use = VolumeUse.parse(request.getVolumeCapability());
            VolumeContext.check(request.getVolumeContextMap());
            VolumeSecret secret = VolumeSecret.parse(volume, request.getSecretsMap());
            return mountLocks.with(volume, "NodeStageVolume", () -> {
                binds.stage(volume, staging, use, secret);
                return NodeStageVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeUnstageVolume(
            NodeUnstageVolumeRequest request, StreamObserver<NodeUnstageVolumeResponse> observer) {
        calls.answer("NodeUnstageVolume", observer, () -> {
            UUID volume = VolumeHandle.parse(request.getVolumeId()).volume();
            Path staging = staging(request.getStagingTargetPath());
            return mountLocks.with(volume, "NodeUnstageVolume", () -> {
                binds.unstage(volume, staging);
                return NodeUnstageVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodePublishVolume(
            NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> observer) {
        calls.answer("NodePublishVolume", observer, () -> {
            UUID volume = VolumeHandle.parse(request.getVolumeId()).volume();
            Path target = target(request.getTargetPath());
            PodReference pod = PodReference.of(request.getVolumeContextMap());
            // Before anything else is looked at: older kubelets delete the directory of a published volume when this
            // call fails, so that one who uses the volume already is never told of what is wrong.
            if (binds.isPublished(volume, target)) {
                mountLocks.tryWith(
                        volume, "NodePublishVolume", () -> binds.adopt(volume, target, pod, request.getSecretsMap()));
                return NodePublishVolumeResponse.getDefaultInstance();
            }
            VolumeUse use = VolumeUse.parse(request.getVolumeCapability());
            VolumeContext.check(request.getVolumeContextMap());
            Path staging = staging(request.getStagingTargetPath());
            return mountLocks.with(volume, "NodePublishVolume", () -> {
                binds.requireStaged(volume, staging);
                VolumeSecret secret = VolumeSecret.parse(volume, request.getSecretsMap());
                binds.publish(volume, target, pod, use, request.getReadonly(), secret);
                return NodePublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeUnpublishVolume(
            NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> observer) {
        calls.answer("NodeUnpublishVolume", observer, () -> {
            UUID volume = VolumeHandle.parse(request.getVolumeId()).volume();
            Path target = target(request.getTargetPath());
            binds.unpublish(volume, target);
            return NodeUnpublishVolumeResponse.getDefaultInstance();
        });
    }

    @Override
    public void nodeGetVolumeStats(
            NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> observer) {
        calls.answer("NodeGetVolumeStats", observer, () -> stats.answer(request));
    }

    @Override
    public void nodeGetCapabilities(
            NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> observer) {
        calls.answer("NodeGetCapabilities", observer, () -> {
            NodeGetCapabilitiesResponse.Builder answer = NodeGetCapabilitiesResponse.newBuilder();
            for (RPC.Type type : CAPABILITIES) {
                answer.addCapabilities(NodeServiceCapability.newBuilder()
                        .setRpc(RPC.newBuilder().setType(type)));
            }
            return answer.build();
        });
    }

    @Override
    public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> observer) {
        calls.answer(
                "NodeGetInfo",
                observer,
                () -> NodeGetInfoResponse.newBuilder()
                        .setNodeId(nodeName)
                        .setMaxVolumesPerNode(maxVolumes)
                        .build());
    }

    private Path staging(String text) {
        return paths.check("staging_target_path", text);
    }

    private Path target(String text) {
        return paths.check("target_path", text);
    }
}
