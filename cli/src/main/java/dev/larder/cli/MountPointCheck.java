package dev.larder.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** Refuses a directory that cannot be mounted on, before anything is started. */
final class MountPointCheck {
    private MountPointCheck() {}

    /** @param allowNonEmpty what is there is hidden while the volume is mounted */
    static void check(Path mountPoint, StateDirectory state, boolean allowNonEmpty) {
        String what = "mount point " + mountPoint;
        if (!Files.exists(mountPoint, LinkOption.NOFOLLOW_LINKS)) {
            throw CommandFailure.failed(what, "does not exist", "mkdir -p " + mountPoint);
        }
        if (!Files.isDirectory(mountPoint)) {
            throw CommandFailure.failed(what, "is not a directory", "a directory of its own: mkdir -p DIRECTORY");
        }
        if (mountPoint.startsWith(state.root()) || state.root().startsWith(mountPoint)) {
            throw CommandFailure.failed(
                    what,
                    "Larder keeps its own files there (" + state.root() + ")",
                    "a directory elsewhere, such as /mnt/larder");
        }
        if (allowNonEmpty) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(mountPoint)) {
            if (entries.iterator().hasNext()) {
                throw CommandFailure.failed(
                        what,
                        "is not empty; what is in it would be hidden while the volume is mounted",
                        "an empty directory, or --allow-non-empty");
            }
        } catch (IOException e) {
            throw CommandFailure.failed(what, StateDirectory.reason(e), null);
        }
    }

    /** The real path of a directory, as the kernel's table of mounts has it; never asks a dead mount itself. */
    static Path canonical(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        if (dev.larder.linux.Mounts.at(absolute) != null || absolute.getParent() == null) {
            return absolute;
        }
        try {
            return absolute.getParent()
                    .toRealPath()
                    .resolve(absolute.getFileName())
                    .toRealPath();
        } catch (IOException e) {
            return absolute;
        }
    }
}
