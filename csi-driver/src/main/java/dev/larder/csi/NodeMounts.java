package dev.larder.csi;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.Mounts;
import dev.larder.linux.Mounts.MountPoint;
import dev.larder.linux.OpenFlags;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Binds of volumes and the directories under them. Each act looks first and does what is missing, so that one that a crash
 * cut short is simply done again. The caller holds the volume's lock.
 */
final class NodeMounts {
    private static final Logger LOG = LoggerFactory.getLogger(NodeMounts.class);

    /** Mounts on top of each other at one place that are taken away at once. */
    private static final int MAX_STACKED = 16;

    private final NodePaths paths;

    NodeMounts(NodePaths paths) {
        this.paths = paths;
    }

    /** Binds the volume's mount to a target that is no mount yet; what a failure leaves is what was there before. */
    void publish(UUID volume, Path target, boolean readOnly) {
        MountTable table = MountTable.read(paths);
        if (table.volume(volume) == null) {
            // Else the node's own disk would be bound.
            throw new CsiException(Status.Code.UNAVAILABLE, "the mount of the volume " + volume + " has just ended");
        }
        MountPoint found = table.at(target);
        if (found != null) {
            throw occupied(target, found);
        }
        create(target);
        setMarker(target);
        try {
            Mounts.bind(paths.volumeMount(volume), target, readOnly);
        } catch (RuntimeException e) {
            clearMarker(target);
            throw e;
        }
    }

    /** Unmounts a target and deletes its directory. */
    void unpublish(UUID volume, Path target) {
        unbind(volume, target);
        if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        clearMarker(target);
        try {
            Files.deleteIfExists(target);
        } catch (DirectoryNotEmptyException e) {
            throw CsiException.precondition(
                            "there are files in " + target + " itself, below where the volume was mounted")
                    .next("ls -la " + target + " on the node, move them away");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the directory " + target + ": " + e.getMessage(), e);
        }
    }

    /** Unmounts whatever of the volume is mounted there, dead or alive; a mount of something else is left and told. */
    void unbind(UUID volume, Path path) {
        for (int i = 0; i < MAX_STACKED; i++) {
            MountPoint found = MountTable.read(paths).at(path);
            if (found == null) {
                return;
            }
            if (!MountTable.isOf(found, volume)) {
                throw occupied(path, found);
            }
            unmount(path);
        }
        throw CsiException.precondition("more than " + MAX_STACKED + " mounts stand on top of each other at " + path)
                .next("umount " + path + " on the node");
    }

    private static void unmount(Path path) {
        try {
            Mounts.unmount(path, Mounts.UMOUNT_NOFOLLOW);
        } catch (LinuxException e) {
            if (!e.is(LinuxErrno.EBUSY)) {
                throw e;
            }
            // Kubelet has stopped the pod; whoever still has a file open keeps it until he closes it.
            LOG.warn("detached: still in use path={}", path);
            Mounts.unmount(path, Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
        }
    }

    private static void create(Path target) {
        try {
            Files.createDirectory(
                    target, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-x---")));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
                throw CsiException.precondition(target + " is there and is no directory")
                        .next("ls -la " + target.getParent() + " on the node");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the directory " + target + ": " + e.getMessage(), e);
        }
    }

    /** A pod's writes must never land on the node's disk, below a mount that went away. */
    private static void setMarker(Path target) {
        try (Descriptor directory = open(target)) {
            LinuxFile.setImmutable(directory.number(), true);
        } catch (LinuxException e) {
            LOG.info("no immutable marker: the node's file system has none path={} cause={}", target, e.getMessage());
        }
    }

    private static void clearMarker(Path target) {
        try (Descriptor directory = open(target)) {
            LinuxFile.setImmutable(directory.number(), false);
        } catch (LinuxException e) {
            LOG.debug("no immutable marker to clear path={} cause={}", target, e.getMessage());
        }
    }

    private static Descriptor open(Path target) {
        return LinuxFile.open(target, OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW, 0);
    }

    private static CsiException occupied(Path path, MountPoint found) {
        return CsiException.precondition(
                        "something else is mounted at " + path + ": " + found.source() + " (" + found.type() + ")")
                .next("findmnt " + path + " on the node");
    }
}
