package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CacheFullTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path directory;

    private static CacheOptions options(long capacity, long floor) {
        return new CacheOptions(
                capacity, 0.95, 0.9, floor, Duration.ofMillis(200), 64, 64, 1024, CacheOptions.Policy.W_TINY_LFU);
    }

    @Test
    void evictsCleanBytesButNeverPinnedOrDirtyOnes() {
        try (DiskCache cache = DiskCache.open(directory, UUID.randomUUID(), options(16 * MIB, 0));
                CachedFile pinned = cache.open(1);
                CachedFile dirty = cache.open(2)) {
            pinned.pin();
            Content.fill(pinned, 0, Content.of(1, 0), 2 * MIB);
            Content.write(dirty, 0, Content.bytes(Content.of(2, 0), 2 * MIB));
            for (int inode = 3; inode < 40; inode++) {
                try (CachedFile file = cache.open(inode)) {
                    Content.fill(file, 0, Content.of(inode, 0), MIB);
                }
                assertTrue(cache.stats().cleanBytes() + cache.stats().dirtyBytes() <= 16 * MIB);
            }
            assertTrue(cache.stats().evictedBytes() >= 20 * MIB);
            assertArrayEquals(Content.bytes(Content.of(1, 0), 2 * MIB), Content.read(pinned, 0, 2 * MIB));
            assertArrayEquals(Content.bytes(Content.of(2, 0), 2 * MIB), Content.read(dirty, 0, 2 * MIB));
            assertTrue(cache.stats().pinnedBytes() == 2 * MIB);
        }
    }

    @Test
    void partsOfALargeFileAreEvictedAndTheirBlocksGoBack() {
        try (DiskCache cache = DiskCache.open(directory, UUID.randomUUID(), options(32 * MIB, 0));
                CachedFile file = cache.open(1)) {
            for (int i = 0; i < 64; i++) {
                Content.fill(file, (long) i * MIB, Content.of(1, (long) i * MIB), MIB);
            }
            assertTrue(file.presentBytes() > 0 && file.presentBytes() <= 32 * MIB);
            assertTrue(DiskCacheTest.allocated(file) <= 33L * MIB, "allocated " + DiskCacheTest.allocated(file));
        }
    }

    @Test
    void aWriteThatFindsOnlyDirtyBytesWaitsAndThenFails() {
        try (DiskCache cache = DiskCache.open(directory, UUID.randomUUID(), options(4 * MIB, 0));
                CachedFile file = cache.open(1)) {
            byte[] block = new byte[MIB];
            for (int i = 0; i < 4; i++) {
                Content.write(file, (long) i * MIB, block);
            }
            ErrnoException full = assertThrows(ErrnoException.class, () -> Content.write(file, 4L * MIB, block));
            assertEquals(Errno.ENOSPC, full.errno());
            Content.write(file, 0, block);
            CachedFile.Dirty dirty = file.dirty();
            file.committed(0, 4 * MIB, Content.of(9, 0), dirty.sequence());
            Content.write(file, 4L * MIB, block);
            assertEquals(MIB, file.dirtyBytes());
        }
    }

    @Test
    void aFillThatTheJournalHasNoRoomForIsNotKeptAndNotAnError() {
        BrokenDisk disk = new BrokenDisk();
        CacheDirectory root = CacheDirectory.open(directory, UUID.randomUUID());
        int pieces = 5_000;
        try (DiskCache cache = DiskCache.open(root, disk, options(64 * MIB, 0));
                CachedFile file = cache.open(1)) {
            disk.full = true;
            for (int i = 0; i < pieces; i++) {
                Content.fill(file, 2L * i, Content.of(1, 2L * i), 1);
            }
            assertTrue(file.presentBytes() > 0 && file.presentBytes() < pieces, "kept " + file.presentBytes());
            disk.full = false;
            long last = 2L * (pieces - 1);
            Content.fill(file, last, Content.of(1, last), 1);
            assertArrayEquals(Content.bytes(Content.of(1, last), 1), Content.read(file, last, 1));
        }
    }

    @Test
    void theLargestFilesAreListedOpenOrNot() {
        try (DiskCache cache = DiskCache.open(directory, UUID.randomUUID(), options(64 * MIB, 0))) {
            for (int inode = 1; inode <= 200; inode++) {
                try (CachedFile file = cache.open(inode)) {
                    Content.fill(file, 0, Content.of(inode, 0), inode * 1000);
                }
            }
            assertEquals(
                    List.of(new NodeCache.Largest(200, 200_000), new NodeCache.Largest(199, 199_000)),
                    cache.largest(2));
            assertEquals(200, cache.largest(1000).size());
            assertEquals(List.of(), cache.largest(0));
        }
    }

    @Test
    void aFullFileSystemIsNotFilledToTheBrimAndWritesFailTruthfully() throws Exception {
        Path mount = Files.createDirectories(directory.resolve("small"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=64m", "larder-test", mount.toString()) == 0,
                "mounting a tmpfs needs root");
        try (DiskCache cache = DiskCache.open(mount.resolve("cache"), UUID.randomUUID(), options(1L << 30, -1))) {
            try (CachedFile file = cache.open(1)) {
                for (int i = 0; i < 100; i++) {
                    Content.fill(file, (long) i * MIB, Content.of(1, (long) i * MIB), MIB);
                }
            }
            assertTrue(
                    mount.toFile().getUsableSpace() >= 5L * MIB,
                    "free " + mount.toFile().getUsableSpace());
            try (CachedFile file = cache.open(2)) {
                ErrnoException full = assertThrows(ErrnoException.class, () -> {
                    for (int i = 0; i < 100; i++) {
                        Content.write(file, (long) i * MIB, Content.bytes(Content.of(2, 0), MIB));
                    }
                });
                assertEquals(Errno.ENOSPC, full.errno());
                assertTrue(file.dirtyBytes() > 30L * MIB, "dirty " + file.dirtyBytes());
                assertArrayEquals(Content.bytes(Content.of(2, 0), MIB), Content.read(file, 0, MIB));
            }
        } finally {
            assertEquals(0, run("umount", mount.toString()));
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    @Test
    void aFailingDiskIsTakenOutOfUseAndSaysSo() {
        BrokenDisk disk = new BrokenDisk();
        CacheDirectory opened = CacheDirectory.open(directory, UUID.randomUUID());
        try (DiskCache cache = DiskCache.open(opened, disk, options(64 * MIB, 0));
                CachedFile file = cache.open(1)) {
            Content.fill(file, 0, Content.of(1, 0), 4096);
            Content.fill(file, 4096, Content.of(1, 4096), 4096);
            Content.write(file, 8192, new byte[4096]);
            disk.broken = true;
            assertNull(Content.read(file, 0, 4096));
            assertEquals(DiskHealth.State.UNSTABLE, cache.health());
            assertEquals(1, file.absent(0, 4096).size());
            for (int i = 0; i < DiskHealth.ERRORS_TO_DOWN; i++) {
                assertEquals(
                        Errno.EIO,
                        assertThrows(ErrnoException.class, () -> Content.read(file, 8192, 4096))
                                .errno());
            }
            assertEquals(DiskHealth.State.DOWN, cache.health());
            assertNull(Content.read(file, 4096, 4096));
            assertEquals(8192, file.absent(0, 12288).getFirst().length());
            assertEquals(
                    Errno.EIO,
                    assertThrows(ErrnoException.class, () -> Content.write(file, 0, new byte[10]))
                            .errno());
            disk.broken = false;
            assertNotNull(Content.read(file, 8192, 4096));
        }
    }
}
