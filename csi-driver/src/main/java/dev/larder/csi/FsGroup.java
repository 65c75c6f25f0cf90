package dev.larder.csi;

import dev.larder.linux.Descriptor;
import dev.larder.linux.FileStat;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.OpenFlags;
import java.nio.file.Path;

/**
 * Gives a pod's fsGroup the volume's root directory, and only that, and only while it is as it was created: files of a
 * shared volume are never changed behind their owners' backs, whatever their number.
 */
final class FsGroup {
    private static final int PERMISSIONS = 07777;
    private static final int AS_CREATED = 0755;

    /** rwx of the group, and what is made in it has its group. */
    private static final int GROUP_WRITES = 02070;

    /** What became of a request. */
    enum Outcome {
        GIVEN,
        HAS_IT,
        /** The directory has an owner, group or mode that somebody chose: it stays as it is. */
        KEPT
    }

    private FsGroup() {}

    /**
     * The owner goes first: it is chown that may clear set-group-id. "root:GROUP 0755" is what a crash in between leaves, and
     * the next call for the same group ends what this one began. Asks the file system, so it may hang.
     */
    static Outcome apply(Path root, long group) {
        try (Descriptor directory = LinuxFile.open(root, OpenFlags.O_DIRECTORY, 0)) {
            FileStat stat = LinuxFile.stat(directory.number());
            int mode = stat.mode() & PERMISSIONS;
            boolean has = stat.gid() == (int) group;
            if (has && (mode & GROUP_WRITES) == GROUP_WRITES) {
                return Outcome.HAS_IT;
            }
            if (stat.uid() != 0 || !(has || stat.gid() == 0) || mode != AS_CREATED) {
                return Outcome.KEPT;
            }
            LinuxFile.chown(directory.number(), -1, (int) group);
            LinuxFile.chmod(directory.number(), AS_CREATED | GROUP_WRITES);
            return Outcome.GIVEN;
        }
    }
}
