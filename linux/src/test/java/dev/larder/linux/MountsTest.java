package dev.larder.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsTest {
    @TempDir
    Path directory;

    @Test
    void readsALineWithEscapesAndOptionalFields() {
        Mounts.MountPoint mount = Mounts.parse(
                "36 35 98:1 /mnt1 /a\\040b\\134c rw,noatime master:1 shared:2 - fuse.x /dev/root\\011 rw,errors=continue");
        assertEquals(
                new Mounts.MountPoint(
                        36, 98, 1, Path.of("/mnt1"), Path.of("/a b\\c"), "rw,noatime", "fuse.x", "/dev/root\t"),
                mount);
        assertNull(Mounts.parse(""));
    }

    @Test
    void mountsAndUnmounts() throws Exception {
        assumeTrue(Processes.effectiveUser() == 0, "mount(2) needs root");
        Path target = Files.createDirectory(directory.resolve("with space"));
        Mounts.mount("larder-test", target, "tmpfs", Mounts.MS_NOSUID | Mounts.MS_NODEV, "size=1m");
        try {
            Mounts.MountPoint mount = Mounts.at(target);
            assertNotNull(mount);
            assertEquals("tmpfs", mount.type());
            assertEquals("larder-test", mount.source());
        } finally {
            Mounts.unmount(target, 0);
        }
        assertNull(Mounts.at(target));
    }

    @Test
    void aReadOnlyBindIsReadOnlyAndItsSourceIsNot() throws Exception {
        assumeTrue(Processes.effectiveUser() == 0, "mount(2) needs root");
        Path source = Files.createDirectory(directory.resolve("source"));
        Path target = Files.createDirectory(directory.resolve("target"));
        Mounts.mount("larder-test", source, "tmpfs", Mounts.MS_NOSUID | Mounts.MS_NODEV, "size=1m");
        try {
            Files.writeString(source.resolve("file"), "text");
            Mounts.bind(source, target, true);
            try {
                assertTrue(Mounts.at(target).readOnly());
                assertTrue(Mounts.at(target).options().contains("nosuid"), "other options stay");
                assertFalse(Mounts.at(source).readOnly());
                assertTrue(Mounts.at(target).sameDevice(Mounts.at(source)));
                assertEquals("text", Files.readString(target.resolve("file")));
                assertThrows(FileSystemException.class, () -> Files.writeString(target.resolve("file"), "other"));
            } finally {
                Mounts.unmount(target, 0);
            }
        } finally {
            Mounts.unmount(source, 0);
        }
    }

    @Test
    void nothingCanBeWrittenIntoAnImmutableDirectory() throws Exception {
        assumeTrue(Processes.effectiveUser() == 0, "the attribute needs root");
        Path target = Files.createDirectory(directory.resolve("target"));
        try (Descriptor opened = LinuxFile.open(target, OpenFlags.O_DIRECTORY, 0)) {
            try {
                LinuxFile.setImmutable(opened.number(), true);
            } catch (LinuxException e) {
                assumeTrue(false, "no such attribute on this file system: " + e.getMessage());
            }
            assertThrows(FileSystemException.class, () -> Files.createFile(target.resolve("file")));
            LinuxFile.setImmutable(opened.number(), false);
        }
        Files.createFile(target.resolve("file"));
        assertTrue(Files.exists(target.resolve("file")));
    }
}
