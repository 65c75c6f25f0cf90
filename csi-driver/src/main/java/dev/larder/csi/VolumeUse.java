package dev.larder.csi;

import csi.v1.Csi.VolumeCapability;
import csi.v1.Csi.VolumeCapability.AccessMode;
import java.util.List;

/**
 * How a volume is to be used: what CSI's VolumeCapability says, checked.
 *
 * @param readOnly by its mode or its mount flags
 * @param exclusive by one node at a time
 * @param oneTarget by one workload at a time
 * @param group the one that shall be able to write to it (a pod's fsGroup), or -1
 */
public record VolumeUse(boolean readOnly, boolean exclusive, boolean oneTarget, long group) {
    static final long NO_GROUP = -1;

    private static final long MAX_GROUP = 0xffff_fffeL;

    private static final String READ_ONLY_FLAG = "ro";

    /** @throws CsiException INVALID_ARGUMENT for what the driver cannot do */
    public static VolumeUse parse(VolumeCapability capability) {
        if (capability.equals(VolumeCapability.getDefaultInstance())) {
            throw CsiException.invalid("volume_capability is missing");
        }
        if (capability.hasBlock()) {
            throw CsiException.invalid("a SharedVolume is a file system and no block device")
                    .next("set spec.volumeMode: Filesystem in the PersistentVolumeClaim");
        }
        if (!capability.hasMount()) {
            throw CsiException.invalid("volume_capability says neither mount nor block");
        }
        VolumeCapability.MountVolume mount = capability.getMount();
        if (!mount.getFsType().isEmpty()) {
            throw CsiException.invalid("fsType must be empty: a SharedVolume has its own file system")
                    .next("remove csi.storage.k8s.io/fstype from the StorageClass");
        }
        AccessMode.Mode mode = capability.getAccessMode().getMode();
        boolean readOnly = readOnly(mount.getMountFlagsList()) || isReader(mode);
        boolean oneTarget = mode == AccessMode.Mode.SINGLE_NODE_SINGLE_WRITER;
        return new VolumeUse(readOnly, isExclusive(mode), oneTarget, group(mount.getVolumeMountGroup()));
    }

    private static boolean readOnly(List<String> flags) {
        for (String flag : flags) {
            if (!flag.equals(READ_ONLY_FLAG)) {
                // CSI: mount flags may be sensitive, so the message does not repeat them.
                throw CsiException.invalid("of mountOptions only '" + READ_ONLY_FLAG + "' is known")
                        .next("kubectl explain sharedvolume.spec (options of a volume stand there)");
            }
        }
        return !flags.isEmpty();
    }

    private static boolean isReader(AccessMode.Mode mode) {
        return mode == AccessMode.Mode.SINGLE_NODE_READER_ONLY || mode == AccessMode.Mode.MULTI_NODE_READER_ONLY;
    }

    private static boolean isExclusive(AccessMode.Mode mode) {
        return switch (mode) {
            case SINGLE_NODE_WRITER, SINGLE_NODE_READER_ONLY, SINGLE_NODE_SINGLE_WRITER, SINGLE_NODE_MULTI_WRITER ->
                true;
            case MULTI_NODE_READER_ONLY, MULTI_NODE_MULTI_WRITER -> false;
            case MULTI_NODE_SINGLE_WRITER ->
                throw CsiException.invalid("the access mode MULTI_NODE_SINGLE_WRITER is not known: nothing enforces it")
                        .next("use ReadWriteMany, ReadOnlyMany, ReadWriteOnce or ReadWriteOncePod");
            case UNKNOWN, UNRECOGNIZED -> throw CsiException.invalid("the access mode is missing or not known");
        };
    }

    private static long group(String text) {
        if (text.isEmpty()) {
            return NO_GROUP;
        }
        try {
            long group = Long.parseLong(text);
            if (group >= 0 && group <= MAX_GROUP) {
                return group;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw CsiException.invalid("volume_mount_group is no group id");
    }
}
