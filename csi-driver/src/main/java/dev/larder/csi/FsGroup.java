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
    private static final int GIVEN = 02775;

    /** What became of a request. */
    enum Outcome {
        GIVEN,
        HAS_IT,
        /** The directory has an owner, group or mode that somebody chose: it stays as it is. */
        KEPT
    }

    private FsGroup() {}

    /**
     * The mode goes first: "root:root 2775" is what a crash in between leaves, and no one else makes it, so the next call
     * ends what this one began. Asks the file system, so it may hang.
     */
    static Outcome apply(Path root, long group) {
        try (Descriptor directory = LinuxFile.open(root, OpenFlags.O_DIRECTORY, 0)) {
            FileStat stat = LinuxFile.stat(directory.number());
            int mode = stat.mode() & PERMISSIONS;
            if (stat.gid() == (int) group && (mode & 02070) == 02070) {
                return Outcome.HAS_IT;
            }
            if (stat.uid() != 0 || stat.gid() != 0 || (mode != AS_CREATED && mode != GIVEN)) {
                return Outcome.KEPT;
            }
            LinuxFile.chmod(directory.number(), GIVEN);
            LinuxFile.chown(directory.number(), -1, (int) group);
            return Outcome.GIVEN;
        }
    }
}
