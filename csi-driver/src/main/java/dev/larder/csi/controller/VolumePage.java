package dev.larder.csi.controller;

import csi.v1.Csi.ListVolumesRequest;
import csi.v1.Csi.ListVolumesResponse;
import csi.v1.Csi.Volume;
import dev.larder.csi.CsiException;
import dev.larder.csi.VolumeHandle;
import io.grpc.Status;
import java.util.Comparator;
import java.util.List;

/**
 * A page of CSI's ListVolumes. A page's token is the last volume's uuid, and the next page begins after it, so it stays good
 * while volumes come and go.
 */
final class VolumePage {
    private VolumePage() {}

    static ListVolumesResponse of(List<VolumeObject> volumes, ListVolumesRequest request) {
        if (request.getMaxEntries() < 0) {
            throw CsiException.invalid("max_entries is negative");
        }
        String after = after(request.getStartingToken());
        List<VolumeObject> rest = volumes.stream()
                .filter(volume -> volume.volume().toString().compareTo(after) > 0)
                .sorted(Comparator.comparing(volume -> volume.volume().toString()))
                .toList();
        int most = request.getMaxEntries() == 0 ? rest.size() : request.getMaxEntries();
        ListVolumesResponse.Builder page = ListVolumesResponse.newBuilder();
        for (VolumeObject volume : rest.subList(0, Math.min(most, rest.size()))) {
            page.addEntries(ListVolumesResponse.Entry.newBuilder()
                    .setVolume(Volume.newBuilder()
                            .setVolumeId(volume.volume().toString())
                            .setCapacityBytes(volume.capacityBytes())));
        }
        if (rest.size() > most) {
            page.setNextToken(rest.get(most - 1).volume().toString());
        }
        return page.build();
    }

    private static String after(String token) {
        if (token.isEmpty()) {
            return "";
        }
        VolumeHandle last = VolumeHandle.parseOrNull(token);
        if (last == null || last.access() != null) {
            throw new CsiException(
                    Status.Code.ABORTED, "starting_token is none of this driver: begin anew without one");
        }
        return token;
    }
}
