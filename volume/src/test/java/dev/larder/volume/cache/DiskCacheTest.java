package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.cache.CacheDirectory.LastStop;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache.Present;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DiskCacheTest {
    private static final UUID VOLUME = UUID.randomUUID();
    private static final int KIB = 1024;

    @TempDir
    Path directory;

    private DiskCache open() {
        return DiskCache.open(directory, VOLUME, CacheOptions.ofCapacity(1 << 30));
    }

    @Test
    void fillsAreReadAndSurviveAReopen() {
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            assertNull(Content.read(file, 0, 10));
            Content.fill(file, 100, Content.of(5, 0), 1000);
            Content.fill(file, 1100, Content.of(5, 1000), 1000);
            file.fillHole(0, 100, file.epoch());
            assertArrayEquals(Content.bytes(Content.of(5, 900), 300), Content.read(file, 1000, 300));
            assertEquals(List.of(new Range(2100, 900)), file.absent(50, 2950));
            assertTrue(file.complete(2100));
            assertEquals(1, cache.stats().misses());
        }
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            assertEquals(LastStop.CLEAN, cache.lastStop());
            assertTrue(file.complete(2100));
            assertEquals(2100, cache.stats().cleanBytes());
            assertArrayEquals(new byte[100], Content.read(file, 0, 100));
            assertArrayEquals(Content.bytes(Content.of(5, 0), 2000), Content.read(file, 100, 2000));
        }
    }

    @Test
    void aFileThatWasChangedMeanwhileIsSuspectUntilItIsVerified() throws IOException {
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            Content.fill(file, 0, Content.of(5, 0), 4000);
        }
        Path stored = directory.resolve("files/01/1");
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            assertFalse(file.isSuspect(), "an ordinary remount pays nothing");
        }
        byte[] bytes = Files.readAllBytes(stored);
        bytes[2000] ^= 1;
        Files.write(stored, bytes);
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            assertTrue(file.isSuspect());
            assertEquals(List.of(new Range(0, 4000)), file.unverified(0, 5000));
            file.verified(0, 1000);
            file.invalidate(1000, 1000);
            file.verified(1000, 2000);
            assertTrue(file.isSuspect());
        }
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            assertTrue(file.isSuspect(), "what nobody verified is not believed the next time either");
            assertEquals(List.of(new Range(1000, 1000)), file.absent(0, 4000));
            file.verified(0, 4000);
            assertFalse(file.isSuspect());
        }
        Files.write(stored, java.util.Arrays.copyOf(bytes, 500));
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            assertEquals(List.of(new Range(500, 3500)), file.absent(0, 4000), "what is cut off is not there");
            assertEquals(500, cache.stats().cleanBytes());
            assertTrue(file.isSuspect());
        }
    }

    @Test
    void anIndexEntryWithoutAStampIsRead() {
        Piece piece = Piece.clean(0, 10, Content.of(1, 0));
        IndexEntry entry =
                new IndexEntry(7, List.of(piece), new Stamp(10, 123), new ContentVersion(3, new UUID(1, 2)), 9);
        assertEquals(entry, IndexEntry.decode(entry.encode()));
        assertEquals(
                Stamp.NONE,
                IndexEntry.decode(new IndexEntry(7, List.of(piece)).encode()).stamp());
    }

    @Test
    void writesAreDirtyUntilTheSnapshotThatNamesThemIsCommitted() {
        try (DiskCache cache = open();
                CachedFile file = cache.open(2)) {
            Content.write(file, 0, new byte[] {1, 2, 3, 4});
            Content.write(file, 4, new byte[] {5, 6});
            CachedFile.Dirty dirty = file.dirty();
            assertEquals(List.of(new Range(0, 6)), dirty.ranges());
            Content.write(file, 2, new byte[] {9});
            file.committed(0, 6, Content.of(1, 0), dirty.sequence());
            assertEquals(List.of(new Range(2, 1)), file.dirty().ranges());
            assertEquals(List.of(2L), cache.dirtyInodes());
            assertArrayEquals(new byte[] {1, 2, 9, 4, 5, 6}, Content.read(file, 0, 6));
        }
        try (DiskCache cache = open();
                CachedFile file = cache.open(2)) {
            assertEquals(List.of(new Range(2, 1)), file.dirty().ranges());
            assertEquals(6, file.presentBytes());
            assertEquals(List.of(2L), cache.dirtyInodes());
        }
    }

    @Test
    void aFillOlderThanAChangeIsDropped() {
        try (DiskCache cache = open();
                CachedFile file = cache.open(3)) {
            long epoch = file.epoch();
            file.invalidate(0, 100);
            Content.fill(file, 50, Content.of(1, 0), 10, epoch);
            assertNull(Content.read(file, 50, 10));
            Content.fill(file, 200, Content.of(1, 0), 10, epoch);
            assertNotNull(Content.read(file, 200, 10));
            Content.write(file, 300, new byte[] {42});
            Content.fill(file, 295, Content.of(1, 0), 10);
            assertEquals(42, Content.read(file, 300, 1)[0]);
            assertEquals(List.of(new Range(300, 1)), file.dirty().ranges());
        }
    }

    @Test
    void truncateDropsWhatLiesBeyondAndItReadsAsZerosWhenTheFileGrows() throws IOException {
        try (DiskCache cache = open();
                CachedFile file = cache.open(4)) {
            Content.write(file, 0, Content.bytes(Content.of(1, 0), 8 * KIB));
            file.truncate(1000);
            assertEquals(1000, Files.size(Path.of("/proc/self/fd/" + file.descriptor())));
            file.extendTo(8 * KIB);
            assertEquals(List.of(new Range(1000, 8 * KIB - 1000)), file.absent(0, 8 * KIB));
            file.fillHole(1000, 8 * KIB - 1000, file.epoch());
            assertArrayEquals(new byte[7000], Content.read(file, 1000, 7000));
            assertEquals(1000, file.dirtyBytes());
        }
    }

    @Test
    void reconcileKeepsWhatTheNewContentStillHas() {
        try (DiskCache cache = open();
                CachedFile file = cache.open(5)) {
            Content.fill(file, 0, Content.of(1, 0), 1000);
            file.fillHole(1000, 500, file.epoch());
            Content.write(file, 1500, new byte[10]);
            file.reconcile(
                    0,
                    2000,
                    List.of(
                            new Present(0, 400, Content.of(1, 0)),
                            new Present(400, 200, Content.of(2, 0)),
                            new Present(600, 400, Content.of(1, 600)),
                            new Present(1200, 100, Content.of(3, 0))));
            assertEquals(
                    List.of(new Range(400, 200), new Range(1200, 100), new Range(1510, 490)), file.absent(0, 2000));
            assertEquals(10, file.dirtyBytes());
        }
    }

    @Test
    void discardAndInvalidateForgetAndGiveBlocksBack() throws Exception {
        try (DiskCache cache = open();
                CachedFile file = cache.open(6)) {
            Content.fill(file, 0, Content.of(1, 0), 1 << 20);
            Content.write(file, 1 << 20, new byte[64 * KIB]);
            assertTrue(allocated(file) >= (1 << 20) + 64 * KIB);
            file.invalidate(0, Long.MAX_VALUE);
            assertEquals(64 * KIB, file.presentBytes());
            assertTrue(allocated(file) <= 128 * KIB);
            file.discard(1 << 20, 64 * KIB);
            assertEquals(0, file.presentBytes());
            assertEquals(0, allocated(file));
        }
    }

    static long allocated(CachedFile file) {
        return dev.larder.linux.LinuxFile.stat(file.descriptor()).allocated();
    }

    @Test
    void aRemovedFileStaysReadableForWhoHasItOpenAndIsNewForOthers() {
        try (DiskCache cache = open();
                CachedFile old = cache.open(7)) {
            Content.write(old, 0, new byte[] {1});
            int descriptor = old.descriptor();
            cache.remove(7);
            assertEquals(0, cache.stats().dirtyBytes());
            assertEquals(0, cache.stats().files());
            try (CachedFile fresh = cache.open(7)) {
                assertNull(Content.read(fresh, 0, 1));
            }
            assertArrayEquals(new byte[] {1}, Content.read(old, 0, 1));
            assertEquals(descriptor, old.descriptor());
        }
        try (DiskCache cache = open()) {
            assertEquals(List.of(), cache.dirtyInodes());
        }
    }

    @Test
    void dropCleanKeepsDirtyBytesAndReachesFilesThatAreNotInMemory() {
        try (DiskCache cache = open();
                CachedFile file = cache.open(1)) {
            Content.fill(file, 0, Content.of(1, 0), 100);
            try (CachedFile other = cache.open(2)) {
                Content.fill(other, 0, Content.of(1, 0), 100);
                Content.write(other, 50, new byte[1]);
            }
        }
        try (DiskCache cache = open()) {
            cache.dropClean();
            assertEquals(0, cache.stats().cleanBytes());
            assertEquals(1, cache.stats().dirtyBytes());
            assertEquals(1, cache.stats().files());
        }
    }

    @Test
    void refusesASecondOpenAnotherVolumeAndANewerFormat() throws IOException {
        try (DiskCache cache = open()) {
            assertNotNull(cache);
            assertMessage("in use by another process");
        }
        UUID other = UUID.randomUUID();
        Throwable refused = assertThrows(
                IllegalStateException.class, () -> DiskCache.open(directory, other, CacheOptions.ofCapacity(1)));
        assertTrue(refused.getMessage().contains(VOLUME.toString()), refused.getMessage());
        Files.writeString(directory.resolve("CACHE"), "format=99\nvolume=" + VOLUME + "\n");
        assertMessage("use a newer Larder");
    }

    private void assertMessage(String part) {
        Throwable refused = assertThrows(IllegalStateException.class, this::open);
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
    }

    @Test
    void afterAPowerLossOnlyForcedDirtyBytesAreBelieved() {
        CacheOptions options = CacheOptions.ofCapacity(1 << 30);
        CacheDirectory before = CacheDirectory.open(directory, VOLUME, "boot-1");
        DiskCache lost = DiskCache.open(before, new LinuxDisk(), options);
        try (CachedFile file = lost.open(1);
                CachedFile clean = lost.open(2)) {
            Content.write(file, 0, new byte[] {1, 2, 3});
            file.force();
            Content.write(file, 3, new byte[] {4});
            Content.fill(clean, 0, Content.of(1, 0), 10);
        }
        lost.stopUpkeep();
        before.close();
        try (DiskCache cache =
                        DiskCache.open(CacheDirectory.open(directory, VOLUME, "boot-2"), new LinuxDisk(), options);
                CachedFile file = cache.open(1);
                CachedFile clean = cache.open(2)) {
            assertEquals(LastStop.POWER_LOST, cache.lastStop());
            assertEquals(List.of(new Range(0, 3)), file.dirty().ranges());
            assertFalse(clean.complete(10));
            assertEquals(1, cache.stats().files());
        }
    }

    @Test
    void manyFilesNeedFewDescriptorsAndFewEntries() {
        CacheOptions few = new CacheOptions(
                1 << 30, 0.95, 0.9, 0, java.time.Duration.ofSeconds(1), 16, 32, 64, CacheOptions.Policy.W_TINY_LFU);
        try (DiskCache cache = DiskCache.open(directory, VOLUME, few)) {
            for (int inode = 1; inode <= 500; inode++) {
                try (CachedFile file = cache.open(inode)) {
                    Content.fill(file, 0, Content.of(inode, 0), 100);
                }
            }
            assertTrue(cache.openFiles() <= 40, "open files: " + cache.openFiles());
            for (int inode = 1; inode <= 500; inode++) {
                try (CachedFile file = cache.open(inode)) {
                    assertArrayEquals(Content.bytes(Content.of(inode, 0), 100), Content.read(file, 0, 100));
                }
            }
            assertEquals(500, cache.stats().files());
            assertEquals(Provenance.HOLE, Provenance.HOLE.plus(5));
        }
    }
}
