package dev.larder.csi;

import csi.v1.Csi.NodeGetVolumeStatsRequest;
import csi.v1.Csi.NodeGetVolumeStatsResponse;
import csi.v1.Csi.VolumeCondition;
import csi.v1.Csi.VolumeUsage;
import dev.larder.protocol.MountStatus;
import java.nio.file.Path;
import java.time.Duration;

/** Usage and condition of a volume, from its agent: the mount itself is not asked, for it may be the one that hangs. */
final class VolumeStats {
    private static final String SERVING = "serving";

    private final NodePaths paths;
    private final NodeVolumes volumes;
    private final Duration patience;

    VolumeStats(NodePaths paths, NodeVolumes volumes, Duration patience) {
        this.paths = paths;
        this.volumes = volumes;
        this.patience = patience;
    }

    NodeGetVolumeStatsResponse answer(NodeGetVolumeStatsRequest request) {
        if (request.getVolumeId().isEmpty() || request.getVolumePath().isEmpty()) {
            throw CsiException.invalid("volume_id and volume_path are needed");
        }
        VolumeHandle handle = VolumeHandle.parseOrNull(request.getVolumeId());
        Path path = Path.of(request.getVolumePath());
        MountTable table = MountTable.read(paths);
        if (handle == null || table.at(path, handle.volume()) == null) {
            throw CsiException.notFound("the volume " + handle + " is not mounted at " + path);
        }
        if (!table.isCurrent(table.at(path), handle.volume())) {
            return abnormal("the mount was given up, a newer one is there: restart the pod");
        }
        MountStatus status = volumes.status(handle.volume(), Calls.patience(patience));
        return status == null ? abnormal("no agent answers on this node") : answer(status);
    }

    private static NodeGetVolumeStatsResponse answer(MountStatus status) {
        boolean normal = SERVING.equals(status.state());
        String message = status.detail() == null ? status.state() : status.state() + ": " + status.detail();
        return NodeGetVolumeStatsResponse.newBuilder()
                .addUsage(usage(VolumeUsage.Unit.BYTES, status.usedBytes(), status.quotaBytes()))
                .addUsage(usage(VolumeUsage.Unit.INODES, status.usedInodes(), status.quotaInodes()))
                .setVolumeCondition(condition(!normal, message))
                .build();
    }

    /** Without a quota total and available stay zero, which CSI reads as "not told". */
    private static VolumeUsage usage(VolumeUsage.Unit unit, long used, long quota) {
        return VolumeUsage.newBuilder()
                .setUnit(unit)
                .setUsed(used)
                .setTotal(quota)
                .setAvailable(Math.max(0, quota - used))
                .build();
    }

    private static NodeGetVolumeStatsResponse abnormal(String message) {
        return NodeGetVolumeStatsResponse.newBuilder()
                .setVolumeCondition(condition(true, message))
                .build();
    }

    private static VolumeCondition condition(boolean abnormal, String message) {
        return VolumeCondition.newBuilder()
                .setAbnormal(abnormal)
                .setMessage(message)
                .build();
    }
}
