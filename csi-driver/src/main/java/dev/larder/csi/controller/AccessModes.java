package dev.larder.csi.controller;

import csi.v1.Csi.VolumeCapability;
import dev.larder.csi.CsiException;
import dev.larder.csi.VolumeUse;
import java.util.List;
import java.util.TreeSet;

/** CSI's capabilities in the words of Kubernetes. */
final class AccessModes {
    private static final String ONE_POD = "ReadWriteOncePod";

    private AccessModes() {}

    /** @throws CsiException INVALID_ARGUMENT for one that the driver does not have */
    static List<String> of(List<VolumeCapability> capabilities) {
        if (capabilities.isEmpty()) {
            throw CsiException.invalid("volume_capabilities are missing");
        }
        TreeSet<String> modes = new TreeSet<>();
        for (VolumeCapability capability : capabilities) {
            VolumeUse.parse(capability);
            modes.add(mode(capability.getAccessMode().getMode()));
        }
        if (modes.contains(ONE_POD) && modes.size() > 1) {
            throw CsiException.invalid(ONE_POD + " stands alone among the access modes of a claim");
        }
        return List.copyOf(modes);
    }

    private static String mode(VolumeCapability.AccessMode.Mode mode) {
        return switch (mode) {
            case MULTI_NODE_MULTI_WRITER -> "ReadWriteMany";
            case MULTI_NODE_READER_ONLY -> "ReadOnlyMany";
            case SINGLE_NODE_SINGLE_WRITER -> ONE_POD;
            case SINGLE_NODE_WRITER, SINGLE_NODE_MULTI_WRITER, SINGLE_NODE_READER_ONLY -> "ReadWriteOnce";
            case MULTI_NODE_SINGLE_WRITER, UNKNOWN, UNRECOGNIZED ->
                throw new IllegalStateException("refused before: " + mode.name());
        };
    }
}
