package dev.larder.csi;

import dev.larder.linux.Mounts;
import dev.larder.linux.Mounts.MountPoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * What is mounted, as the kernel says at one moment: the only memory of what was mounted and published. Reading it asks no
 * file system anything, so a mount that is dead or has no server cannot make it hang.
 */
final class MountTable {
    private final List<MountPoint> mounts;
    private final NodePaths paths;

    MountTable(List<MountPoint> mounts, NodePaths paths) {
        this.mounts = List.copyOf(mounts);
        this.paths = paths;
    }

    static MountTable read(NodePaths paths) {
        return new MountTable(Mounts.list(), paths);
    }

    /** The topmost mount exactly there, or null. */
    MountPoint at(Path path) {
        MountPoint found = null;
        for (MountPoint mount : mounts) {
            if (mount.target().equals(path)) {
                found = mount;
            }
        }
        return found;
    }

    /** The topmost mount there if it is one of the volume, alive or dead, or null. */
    MountPoint at(Path path, UUID volume) {
        MountPoint mount = at(path);
        return mount != null && isOf(mount, volume) ? mount : null;
    }

    /** The volume's own mount, or null. */
    MountPoint volume(UUID volume) {
        return at(paths.volumeMount(volume), volume);
    }

    /** A bind of the volume's mount as it is now; false for one of a mount that was given up. */
    boolean isCurrent(MountPoint bind, UUID volume) {
        MountPoint mount = volume(volume);
        return mount != null && mount.sameDevice(bind);
    }

    /** Where pods see it. */
    List<Path> targets(UUID volume) {
        return select(volume, paths::isTarget);
    }

    private List<Path> select(UUID volume, Predicate<Path> which) {
        List<Path> found = new ArrayList<>();
        for (MountPoint mount : mounts) {
            if (isOf(mount, volume) && which.test(mount.target()) && !found.contains(mount.target())) {
                found.add(mount.target());
            }
        }
        return found;
    }

    static boolean isOf(MountPoint mount, UUID volume) {
        return mount.source().equals(Driver.SOURCE_PREFIX + volume);
    }
}
