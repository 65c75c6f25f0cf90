package dev.larder.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxFileTest {
    private static final int READ_WRITE = OpenFlags.O_RDWR | OpenFlags.O_CREAT;

    @TempDir
    Path directory;

    @Test
    void writesAndReadsBackAtOffsets() {
        try (Descriptor file = LinuxFile.open(directory.resolve("f"), READ_WRITE, 0600);
                Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom("larder");
            LinuxFile.pwriteFully(file.number(), text.asSlice(0, 6), 4096);
            MemorySegment back = arena.allocate(4102);
            assertEquals(4102, LinuxFile.preadFully(file.number(), back, 0));
            assertEquals('l', back.get(JAVA_BYTE, 4096));
            assertEquals(0, back.get(JAVA_BYTE, 4095));
            assertEquals(2, LinuxFile.preadFully(file.number(), back, 4100));
            assertEquals(0, LinuxFile.pread(file.number(), back, 5000));
        }
    }

    @Test
    void statShowsSizeBlocksAndTimes() throws Exception {
        Path path = directory.resolve("f");
        Files.write(path, new byte[10_000]);
        try (Descriptor file = LinuxFile.open(path, OpenFlags.O_RDWR, 0)) {
            LinuxFile.fsync(file.number());
            FileStat stat = LinuxFile.stat(file.number());
            assertEquals(10_000, stat.size());
            assertEquals(12_288, stat.allocated());
            assertEquals(0x8000, stat.mode() & 0xf000);
            assertEquals(Files.getAttribute(path, "unix:ino"), stat.inode());
            assertEquals(
                    Files.getLastModifiedTime(path).to(java.util.concurrent.TimeUnit.NANOSECONDS), stat.mtimeNanos());
        }
    }

    @Test
    void holesArePunchedAndFound() throws Exception {
        Path path = directory.resolve("f");
        Files.write(path, new byte[64 * 1024]);
        try (Descriptor file = LinuxFile.open(path, OpenFlags.O_RDWR, 0)) {
            LinuxFile.punchHole(file.number(), 16 * 1024, 16 * 1024);
            assertEquals(16 * 1024, LinuxFile.seek(file.number(), 0, LinuxFile.SEEK_HOLE));
            assertEquals(32 * 1024, LinuxFile.seek(file.number(), 16 * 1024, LinuxFile.SEEK_DATA));
            assertEquals(-1, LinuxFile.seek(file.number(), 1 << 20, LinuxFile.SEEK_DATA));
            LinuxFile.truncate(file.number(), 100);
            assertEquals(100, LinuxFile.stat(file.number()).size());
            assertTrue(LinuxFile.space(file.number()).totalBytes() > 0);
            LinuxFile.fdatasync(file.number());
            LinuxFile.syncfs(file.number());
        }
    }

    @Test
    void copiesARange() throws Exception {
        Files.writeString(directory.resolve("a"), "0123456789");
        try (Descriptor a = LinuxFile.open(directory.resolve("a"), OpenFlags.O_RDONLY, 0);
                Descriptor b = LinuxFile.open(directory.resolve("b"), READ_WRITE, 0600)) {
            assertEquals(4, LinuxFile.copyRange(a.number(), 3, b.number(), 0, 4));
        }
        assertEquals("3456", Files.readString(directory.resolve("b")));
    }

    @Test
    void aMappingSharesTheFile() throws Exception {
        Path path = directory.resolve("f");
        Files.write(path, new byte[8192]);
        try (Descriptor file = LinuxFile.open(path, OpenFlags.O_RDWR, 0);
                Mapping mapping = Mapping.map(file.number(), 0, 8192, true)) {
            mapping.segment().set(JAVA_BYTE, 5000, (byte) 7);
            mapping.sync(5000, 1);
            assertEquals(7, Files.readAllBytes(path)[5000]);
        }
    }

    @Test
    void flockExcludesAnotherOpenFile() {
        Path path = directory.resolve("f");
        try (Descriptor two = LinuxFile.open(path, READ_WRITE, 0600)) {
            try (Descriptor one = LinuxFile.open(path, READ_WRITE, 0600)) {
                assertTrue(LinuxFile.flock(one.number(), LinuxFile.LOCK_EX));
                assertFalse(LinuxFile.flock(two.number(), LinuxFile.LOCK_EX | LinuxFile.LOCK_NB));
            }
            assertTrue(LinuxFile.flock(two.number(), LinuxFile.LOCK_EX | LinuxFile.LOCK_NB));
        }
    }

    @Test
    void failuresNameTheCallTheErrnoAndThePath() {
        Path missing = directory.resolve("missing");
        LinuxException e = assertThrows(LinuxException.class, () -> LinuxFile.open(missing, OpenFlags.O_RDONLY, 0));
        assertEquals("openat", e.call());
        assertEquals(LinuxErrno.ENOENT, e.errno());
        assertTrue(e.getMessage().contains(missing.toString()), e.getMessage());
        assertEquals(
                LinuxErrno.EINVAL,
                assertThrows(LinuxException.class, () -> LinuxFile.openAt(-1, "a\0b", 0, 0))
                        .errno());
    }

    @Test
    void aClosedDescriptorIsRefusedAndClosesOnce() {
        Descriptor file = LinuxFile.open(directory.resolve("f"), READ_WRITE, 0600);
        int number = file.number();
        file.close();
        try (Descriptor other = LinuxFile.open(directory.resolve("f"), READ_WRITE, 0600)) {
            file.close();
            assertEquals(number, other.number());
            assertTrue(LinuxFile.stat(other.number()).size() == 0);
        }
        assertThrows(LinuxException.class, file::number);
    }

    @Test
    void renamesWithoutReplacing() throws Exception {
        Files.writeString(directory.resolve("a"), "a");
        Files.writeString(directory.resolve("b"), "b");
        try (Descriptor at = LinuxFile.open(directory, OpenFlags.O_DIRECTORY, 0)) {
            LinuxException e = assertThrows(
                    LinuxException.class,
                    () -> LinuxFile.renameAt(at.number(), "a", at.number(), "b", LinuxFile.RENAME_NOREPLACE));
            assertEquals(LinuxErrno.EEXIST, e.errno());
            LinuxFile.renameAt(at.number(), "a", at.number(), "b", LinuxFile.RENAME_EXCHANGE);
            assertEquals("a", Files.readString(directory.resolve("b")));
            LinuxFile.unlinkAt(at.number(), "a", 0);
            assertFalse(Files.exists(directory.resolve("a")));
        }
    }

    @Test
    void manyVirtualThreadsCaptureTheirOwnErrno() throws Exception {
        List<Future<Integer>> results = new ArrayList<>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 500; i++) {
                boolean missing = i % 2 == 0;
                String path = missing ? directory.resolve("none").toString() : directory + "/x/../y";
                results.add(executor.submit(() -> assertThrows(
                                LinuxException.class,
                                () -> LinuxFile.openAt(missing ? -100 : -5, missing ? path : "y", 0, 0))
                        .errno()));
            }
        }
        for (int i = 0; i < results.size(); i++) {
            assertEquals(
                    i % 2 == 0 ? LinuxErrno.ENOENT : LinuxErrno.EBADF,
                    results.get(i).get());
        }
    }
}
