package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.testing.TestDatabase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VolumeContentsTest {
    private static final long CAPACITY = 1L << 30;

    private static TestDatabase volume;
    private static PostgresMetadata session;
    private static long nextInode;

    @TempDir
    Path directory;

    private SwitchedStore store;

    @BeforeAll
    static void startServer() {
        volume = TestDatabase.create();
        session = volume.open();
        nextInode = session.leaseInodes(10_000);
    }

    @AfterAll
    static void stopServer() {
        session.close();
        volume.close();
    }

    @BeforeEach
    void openStore() throws IOException {
        store = new SwitchedStore(DirectoryStore.open(directory.resolve("objects")));
    }

    private static long file() {
        long inode = nextInode++;
        session.create(
                Op.NONE,
                Attributes.ROOT,
                FileName.of("f" + inode),
                new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
        return inode;
    }

    private ContentNode node(String name) {
        return new ContentNode(session, store, directory.resolve(name), CAPACITY);
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void smallFileIsCommittedInlineAndReadElsewhere() {
        long inode = file();
        byte[] bytes = random(1, 5000);
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            a.store(inode, 0, bytes);
            assertEquals(0, store.puts.get());
            assertEquals(5000, b.attributes(inode).size());
            assertArrayEquals(bytes, b.load(inode, 10_000));
            assertArrayEquals(bytes, a.load(inode, 10_000));
        }
    }

    @Test
    void largeFileGoesToSegmentsAndComesBackIntoAnEmptyCache() {
        long inode = file();
        byte[] bytes = random(2, 21 << 20);
        try (ContentNode a = node("a")) {
            Opened opened = a.open(inode, ContentNode.O_WRONLY);
            for (int at = 0; at < bytes.length; at += 1 << 20) {
                a.write(inode, opened.handle(), at, Arrays.copyOfRange(bytes, at, at + (1 << 20)));
            }
            a.close(inode, opened);
            assertEquals(3, store.puts.get());
            assertEquals(0, a.cache().stats().dirtyBytes());
        }
        try (ContentNode b = node("b")) {
            Opened opened = b.open(inode, ContentNode.O_RDONLY);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int at = 0; at < bytes.length; at += 128 << 10) {
                all.writeBytes(b.read(inode, at, 128 << 10));
            }
            assertArrayEquals(bytes, all.toByteArray());
            b.close(inode, opened);
            int gets = store.gets.get();
            assertArrayEquals(bytes, b.load(inode, bytes.length));
            assertEquals(gets, store.gets.get());
        }
    }

    @Test
    void rangesOverwrittenWhileTheyAreUploadedAreUploadedAgain() {
        long inode = file();
        byte[] bytes = random(3, 12 << 20);
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            Opened opened = a.open(inode, ContentNode.O_RDWR);
            for (int at = 0; at < bytes.length; at += 1 << 20) {
                a.write(inode, opened.handle(), at, Arrays.copyOfRange(bytes, at, at + (1 << 20)));
            }
            byte[] patch = random(4, 100_000);
            System.arraycopy(patch, 0, bytes, 3_000_001, patch.length);
            a.write(inode, opened.handle(), 3_000_001, patch);
            a.close(inode, opened);
            assertArrayEquals(bytes, b.load(inode, bytes.length));
        }
    }

    @Test
    void aCacheSmallerThanTheFileStillServesIt() throws IOException {
        long inode = file();
        byte[] bytes = random(5, 20 << 20);
        try (ContentNode a = node("a")) {
            a.store(inode, 0, bytes);
        }
        try (ContentNode b = new ContentNode(session, store, directory.resolve("b"), 2 << 20)) {
            Opened opened = b.open(inode, ContentNode.O_RDONLY);
            Random random = new Random(6);
            for (int i = 0; i < 100; i++) {
                int at = random.nextInt(bytes.length);
                int length = random.nextInt(1 << 20);
                byte[] expected = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + length));
                assertArrayEquals(expected, b.read(inode, at, length), "read " + i);
            }
            b.close(inode, opened);
        }
    }

    @Test
    void pendingBytesShowInAttributesAndTruncateDropsThem() {
        long inode = file();
        try (ContentNode a = node("a")) {
            Opened opened = a.open(inode, ContentNode.O_RDWR);
            a.write(inode, opened.handle(), 0, random(7, 10_000));
            assertEquals(10_000, a.attributes(inode).size());
            a.truncate(inode, 100);
            assertEquals(100, a.attributes(inode).size());
            a.truncate(inode, 200);
            byte[] expected = Arrays.copyOf(Arrays.copyOf(random(7, 10_000), 100), 200);
            assertArrayEquals(expected, a.read(inode, 0, 1000));
            a.close(inode, opened);
            assertEquals(200, a.attributes(inode).size());
        }
    }

    @Test
    void everyAcknowledgedWriteOutlivesTheProcess() {
        long small = file();
        long large = file();
        byte[] smallBytes = random(8, 3000);
        byte[] largeBytes = random(9, 9 << 20);
        Path cache = directory.resolve("a");
        ContentNode dying = new ContentNode(session, store, cache, CAPACITY);
        Opened one = dying.open(small, ContentNode.O_WRONLY);
        Opened two = dying.open(large, ContentNode.O_WRONLY);
        dying.write(small, one.handle(), 0, smallBytes);
        dying.write(large, two.handle(), 0, largeBytes);
        dying.abandon();
        try (ContentNode successor = new ContentNode(
                        session, store, cache, CAPACITY, ContentNode.QUIET, new RecordingKernel(), true);
                ContentNode other = node("b")) {
            assertEquals(smallBytes.length, successor.attributes(small).size());
            assertArrayEquals(smallBytes, successor.read(small, 0, 10_000));
            successor.write(small, one.handle(), smallBytes.length, smallBytes);
            successor.contents.flush(Op.NONE, small);
            successor.contents.release(small, one.handle());
            assertEquals(smallBytes.length * 2, other.load(small, 10_000).length);
            successor.contents.flushAll();
            assertArrayEquals(largeBytes, other.load(large, largeBytes.length));
        }
    }

    @Test
    void aFailingStoreKeepsTheBytesAndTheyAreCommittedWhenItIsBack() {
        long inode = file();
        byte[] bytes = random(10, 1 << 20);
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            Opened opened = a.open(inode, ContentNode.O_WRONLY);
            store.off = true;
            a.write(inode, opened.handle(), 0, bytes);
            ErrnoException refused = assertThrows(ErrnoException.class, () -> a.contents.flush(Op.NONE, inode));
            assertTrue(List.of(Errno.EIO, Errno.ETIMEDOUT).contains(refused.errno()));
            assertArrayEquals(bytes, a.read(inode, 0, bytes.length));
            assertEquals(1, a.contents.pending().size());
            store.off = false;
            a.close(inode, opened);
            assertEquals(0, a.contents.pending().size());
            assertArrayEquals(bytes, b.load(inode, bytes.length));
        }
    }

    @Test
    void aReaderIsToldWhenTheStoreIsAway() {
        long inode = file();
        byte[] bytes = random(11, 1 << 20);
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            a.store(inode, 0, bytes);
            store.off = true;
            Opened opened = b.open(inode, ContentNode.O_RDONLY);
            assertEquals(
                    Errno.EIO,
                    assertThrows(ErrnoException.class, () -> b.read(inode, 0, 1000))
                            .errno());
            store.off = false;
            assertArrayEquals(bytes, b.read(inode, 0, bytes.length));
            b.close(inode, opened);
        }
    }

    @Test
    void closeToOpenBetweenTwoNodes() {
        long inode = file();
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            for (int round = 0; round < 30; round++) {
                ContentNode writer = round % 2 == 0 ? a : b;
                ContentNode reader = round % 2 == 0 ? b : a;
                byte[] bytes = random(round, 1000 + round * 7000);
                writer.store(inode, 0, bytes);
                reader.contents.changed(inode, 0, 0);
                assertArrayEquals(bytes, reader.load(inode, bytes.length), "round " + round);
            }
        }
    }

    @Test
    void appendsOfTwoNodesAreAllThere() {
        long inode = file();
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            Opened ofA = a.open(inode, ContentNode.O_WRONLY | ContentNode.O_APPEND);
            Opened ofB = b.open(inode, ContentNode.O_WRONLY | ContentNode.O_APPEND);
            for (int i = 0; i < 50; i++) {
                a.write(inode, ofA.handle(), 0, ("a" + (100 + i)).getBytes(java.nio.charset.StandardCharsets.UTF_8));
                b.write(inode, ofB.handle(), 0, ("b" + (100 + i)).getBytes(java.nio.charset.StandardCharsets.UTF_8));
                a.contents.flush(Op.NONE, inode);
                b.contents.flush(Op.NONE, inode);
            }
            a.close(inode, ofA);
            b.close(inode, ofB);
            a.contents.changed(inode, 0, 0);
            String all = new String(a.load(inode, 10_000), java.nio.charset.StandardCharsets.UTF_8);
            assertEquals(400, all.length());
            for (int i = 0; i < 50; i++) {
                assertTrue(all.contains("a" + (100 + i)) && all.contains("b" + (100 + i)), all);
            }
            assertTrue(b.kernel.invalidated.contains(inode));
        }
    }

    @Test
    void holesDataAndRangesFollowFallocate() {
        long inode = file();
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            byte[] bytes = random(13, 40_960);
            Opened opened = a.open(inode, ContentNode.O_RDWR);
            a.write(inode, opened.handle(), 1 << 20, bytes);
            assertEquals(1 << 20, a.contents.seek(inode, 0, 3));
            assertEquals(0, a.contents.seek(inode, 0, 4));
            assertEquals((1 << 20) + 40_960, a.contents.seek(inode, 1 << 20, 4));
            a.contents.fallocate(Op.NONE, inode, (1 << 20) + 4096, 8192, 3);
            Arrays.fill(bytes, 4096, 4096 + 8192, (byte) 0);
            assertArrayEquals(bytes, a.read(inode, 1 << 20, bytes.length));
            assertEquals((1 << 20) + 4096, a.contents.seek(inode, 1 << 20, 4));
            a.contents.fallocate(Op.NONE, inode, (1 << 20) + 16_384, 4096, 16);
            Arrays.fill(bytes, 16_384, 20_480, (byte) 0);
            assertArrayEquals(bytes, a.read(inode, 1 << 20, bytes.length));
            a.contents.fallocate(Op.NONE, inode, 0, 1 << 20, 8);
            assertArrayEquals(bytes, a.read(inode, 0, bytes.length));
            a.contents.fallocate(Op.NONE, inode, 4096, 4096, 32);
            byte[] wider = new byte[bytes.length + 4096];
            System.arraycopy(bytes, 0, wider, 0, 4096);
            System.arraycopy(bytes, 4096, wider, 8192, bytes.length - 4096);
            assertArrayEquals(wider, a.read(inode, 0, wider.length));
            a.contents.fallocate(Op.NONE, inode, 0, 100_000, 0);
            assertEquals(100_000, a.attributes(inode).size());
            assertEquals(
                    Errno.EINVAL,
                    assertThrows(ErrnoException.class, () -> a.contents.fallocate(Op.NONE, inode, 1, 4096, 8))
                            .errno());
            assertEquals(
                    Errno.EOPNOTSUPP,
                    assertThrows(ErrnoException.class, () -> a.contents.fallocate(Op.NONE, inode, 0, 4096, 2))
                            .errno());
            a.close(inode, opened);
            assertArrayEquals(Arrays.copyOf(wider, 100_000), b.load(inode, 200_000));
        }
    }

    @Test
    void copyFileRangeSharesExtents() {
        long from = file();
        long to = file();
        byte[] bytes = random(14, 3 << 20);
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            a.store(from, 0, bytes);
            int puts = store.puts.get();
            a.store(to, 0, random(15, 1000));
            assertEquals(2_000_000, a.contents.copyFileRange(Op.NONE, from, 1001, to, 77, 2_000_000));
            byte[] expected = Arrays.copyOf(random(15, 1000), 2_000_077);
            System.arraycopy(bytes, 1001, expected, 77, 2_000_000);
            assertArrayEquals(expected, a.load(to, 3 << 20));
            assertArrayEquals(expected, b.load(to, 3 << 20));
            assertEquals(puts, store.puts.get());
        }
    }

    @Test
    void readersPassThroughAndMappedWritesAreFound() throws IOException {
        long inode = file();
        byte[] bytes = random(16, 600_000);
        try (ContentNode a = node("a");
                ContentNode b = node("b")) {
            a.store(inode, 0, bytes);
            a.kernel.passthrough = true;
            Opened reader = a.open(inode, ContentNode.O_RDONLY);
            assertNotEquals(0, reader.backingId());
            assertTrue((reader.handle() & FileSystem.HANDLE_PASSTHROUGH) != 0);
            assertFalse(reader.keepCache());
            Opened writer = a.open(inode, ContentNode.O_RDWR);
            assertEquals(reader.backingId(), writer.backingId());
            assertTrue(writer.directIo());
            try (RandomAccessFile mapped = new RandomAccessFile(cacheFile(directory.resolve("a"), bytes), "rw")) {
                mapped.seek(200_000);
                mapped.write(new byte[100]);
            }
            Arrays.fill(bytes, 200_000, 200_100, (byte) 0);
            a.close(inode, writer);
            assertArrayEquals(bytes, b.load(inode, bytes.length));
            b.store(inode, 5, random(17, 10));
            System.arraycopy(random(17, 10), 0, bytes, 5, 10);
            a.contents.changed(inode, 5, 10);
            Opened again = a.open(inode, ContentNode.O_RDONLY);
            assertEquals(reader.backingId(), again.backingId());
            assertArrayEquals(bytes, a.read(inode, 0, bytes.length));
            a.close(inode, again);
            a.close(inode, reader);
            assertTrue(a.kernel.backings.isEmpty());
        }
    }

    @Test
    void mappedWritesThatADeadProcessDidNotSeeAreFound() throws IOException {
        long inode = file();
        byte[] bytes = random(18, 300_000);
        ContentNode dying = node("a");
        dying.store(inode, 0, bytes);
        dying.kernel.passthrough = true;
        Opened reader = dying.open(inode, ContentNode.O_RDONLY);
        Opened writer = dying.open(inode, ContentNode.O_RDWR);
        assertEquals(reader.backingId(), writer.backingId());
        try (RandomAccessFile mapped = new RandomAccessFile(cacheFile(directory.resolve("a"), bytes), "rw")) {
            mapped.seek(100_000);
            mapped.write(new byte[100]);
        }
        Arrays.fill(bytes, 100_000, 100_100, (byte) 0);
        dying.abandon();
        try (ContentNode successor = new ContentNode(
                        dying.metadata, store, directory.resolve("a"), 1 << 30, ContentNode.QUIET, dying.kernel, true);
                ContentNode b = node("b")) {
            successor.contents.release(inode, writer.handle());
            assertArrayEquals(bytes, b.load(inode, bytes.length));
            successor.contents.forgotten(inode);
            assertTrue(dying.kernel.backings.isEmpty());
        }
    }

    private static java.io.File cacheFile(Path cache, byte[] content) throws IOException {
        try (var paths = Files.walk(cache)) {
            return paths.filter(Files::isRegularFile)
                    .filter(path -> {
                        try {
                            return Files.size(path) == content.length
                                    && Arrays.equals(Files.readAllBytes(path), content);
                        } catch (IOException e) {
                            return false;
                        }
                    })
                    .findFirst()
                    .orElseThrow()
                    .toFile();
        }
    }

    @Test
    void manySmallFilesShareCommits() throws Exception {
        int files = 2000;
        List<Long> inodes = new ArrayList<>();
        for (int i = 0; i < files; i++) {
            inodes.add(file());
        }
        try (ContentNode a = node("a");
                ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                int thread = t;
                tasks.add(() -> {
                    for (int i = thread; i < files; i += 8) {
                        a.store(inodes.get(i), 0, random(i, 4096));
                    }
                    return null;
                });
            }
            for (Future<Void> done : threads.invokeAll(tasks, 2, TimeUnit.MINUTES)) {
                done.get();
            }
            long statements = a.contents.commitStatements();
            System.out.println("commit statements for " + files + " files: " + statements);
            assertTrue(statements < files, "statements " + statements);
            for (int i = 0; i < files; i += 97) {
                assertArrayEquals(random(i, 4096), a.load(inodes.get(i), 5000));
            }
        }
    }
}
