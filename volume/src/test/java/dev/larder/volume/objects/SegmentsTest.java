package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.objects.FaultyStore.Fault;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentsTest {
    private static final UUID SESSION = UUID.fromString("01234567-89ab-4def-8123-456789abcdef");
    private static final Duration SOON = Duration.ofMillis(400);

    @TempDir
    Path temporary;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MemoryBudget budget = new MemoryBudget(32L << 20);
    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private FaultyStore store;

    @BeforeEach
    void open() throws IOException {
        store = new FaultyStore(DirectoryStore.open(temporary.resolve("objects")));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void idsAreTheSessionsAndKeysAreReversible() {
        Segments segments = segments(SegmentOptions.DEFAULT);
        UUID id = segments.newSegment();
        assertEquals(SESSION.getMostSignificantBits(), id.getMostSignificantBits());
        assertFalse(id.equals(segments.newSegment()));
        assertTrue(SegmentKey.of(id).startsWith("0123456789ab4def/"), SegmentKey.of(id));
        assertEquals(id, SegmentKey.parse(SegmentKey.of(id)).orElseThrow());
        assertTrue(SegmentKey.parse("0123456789ab4def/short").isEmpty());
    }

    @Test
    void everyContentComesBackPlainAndCompressed() throws IOException {
        for (SegmentOptions.Codec codec : SegmentOptions.Codec.values()) {
            Segments segments = segments(SegmentOptions.DEFAULT.withCodec(codec));
            for (int round = 0; round < 12; round++) {
                List<MemorySegment> contents = contents();
                UUID id = segments.newSegment();
                List<byte[]> tables = segments.write(id, contents);
                for (int i = 0; i < contents.size(); i++) {
                    checkRanges(segments, contents.get(i), extent(id, tables.get(i), contents.get(i)));
                }
                SegmentVerifier.Report report = new SegmentVerifier(store).verify(id);
                assertEquals(List.of(), report.findings(), "seed " + seed);
                assertEquals(contents.size(), report.contents().size());
            }
            segments.close();
        }
        assertEquals(0, budget.usedBytes());
    }

    @Test
    void fullSegmentsAndTheLimits() throws IOException {
        Segments segments = segments(SegmentOptions.DEFAULT);
        MemorySegment full = Bytes.random(random, SegmentStore.MAX_SEGMENT_BYTES);
        UUID id = segments.newSegment();
        byte[] table = segments.write(id, List.of(full)).getFirst();
        assertEquals(64, FrameTable.decode(table).count());
        checkRanges(segments, full, extent(id, table, full));
        assertThrows(
                IllegalArgumentException.class,
                () -> segments.write(segments.newSegment(), List.of(full, Bytes.empty(1))));
        assertThrows(
                IllegalArgumentException.class,
                () -> segments.read(extent(id, table, full), 0, full.byteSize() + 1, (at, bytes) -> {}));
    }

    @Test
    void compressionShrinksWhatShrinksAndKeepsTheRestPlain() throws IOException {
        Segments segments = segments(SegmentOptions.DEFAULT.withCodec(SegmentOptions.Codec.ZSTD));
        UUID id = segments.newSegment();
        List<byte[]> tables =
                segments.write(id, List.of(Bytes.compressible(random, 300_000), Bytes.random(random, 300_000)));
        FrameTable small = FrameTable.decode(tables.get(0));
        FrameTable plain = FrameTable.decode(tables.get(1));
        for (int frame = 0; frame < 3; frame++) {
            assertTrue(small.storedLength(frame) < small.length(frame));
            assertEquals(plain.length(frame), plain.storedLength(frame));
        }
    }

    @Test
    void inlineContentsAreVerifiedToo() throws IOException {
        Segments segments = segments(SegmentOptions.DEFAULT);
        MemorySegment content = Bytes.random(random, 50_000);
        byte[] table = segments.inlineFrames(content);
        byte[] data = content.toArray(ValueLayout.JAVA_BYTE);
        Extent extent = new Extent(0, 40_000, ExtentKind.INLINE, UUID.randomUUID(), 10_000, null, table, data);
        List<MemorySegment> seen = new ArrayList<>();
        segments.read(extent, 10_000, 50_000, (at, bytes) -> seen.add(bytes));
        assertEquals(-1, seen.getFirst().mismatch(content));
        data[12_345]++;
        assertThrows(
                CorruptContentException.class,
                () -> segments.read(extent, 10_000, 50_000, (at, bytes) -> seen.add(bytes)));
        assertEquals(1, seen.size());
    }

    @Test
    void aChangedByteIsAlwaysFound() throws IOException {
        for (SegmentOptions.Codec codec : SegmentOptions.Codec.values()) {
            Segments segments = segments(SegmentOptions.DEFAULT.withCodec(codec));
            MemorySegment content = Bytes.compressible(random, 400_000);
            UUID id = segments.newSegment();
            byte[] table = segments.write(id, List.of(content)).getFirst();
            String key = SegmentKey.of(id);
            MemorySegment object = Bytes.empty(store.size(key));
            store.get(key, 0, object);
            for (int round = 0; round < 60; round++) {
                long at = random.nextLong(object.byteSize());
                byte right = object.get(ValueLayout.JAVA_BYTE, at);
                object.set(ValueLayout.JAVA_BYTE, at, (byte) (right ^ 1 << random.nextInt(8)));
                store.put(key, object);
                String what = codec + ", byte " + at + " of " + object.byteSize() + ", seed " + seed;
                assertFalse(new SegmentVerifier(store).verify(id).sound(), what);
                readOrCorrupt(segments, content, extent(id, table, content), what);
                object.set(ValueLayout.JAVA_BYTE, at, right);
            }
            store.put(key, object.asSlice(0, object.byteSize() - 7));
            assertFalse(new SegmentVerifier(store).verify(id).sound(), "cut short");
            segments.close();
        }
    }

    @Test
    void aFrameThatArrivesCorruptIsFetchedAgain() throws IOException {
        for (Fault fault : List.of(Fault.WRONG_BYTE, Fault.SILENT_HALF, Fault.HALF_BODY, Fault.ERROR)) {
            Written written = written(1_000_000);
            store.gets.add(fault);
            checkWhole(written.segments, written.content, written.extent);
            assertTrue(store.gets.isEmpty());
        }
    }

    @Test
    void whatStaysBrokenIsReported() throws IOException {
        Written written = written(100_000);
        store.gets.addAll(List.of(Fault.WRONG_BYTE, Fault.WRONG_BYTE));
        var corrupt = assertThrows(CorruptContentException.class, written::read);
        assertTrue(corrupt.getMessage().contains(SegmentKey.of(written.extent.segment())), corrupt.getMessage());

        store.gets.addAll(Collections.nCopies(3, Fault.ERROR));
        var failed = assertThrows(IOException.class, written::read);
        assertTrue(failed.getMessage().contains("3 times"), failed.getMessage());

        store.gets.add(Fault.REFUSED);
        int before = store.getCount.get();
        assertThrows(StoreAccessException.class, written::read);
        assertEquals(before + 1, store.getCount.get(), "a refusal is not tried again");

        store.delete(List.of(SegmentKey.of(written.extent.segment())));
        assertThrows(MissingObjectException.class, written::read);
        assertEquals(0, budget.usedBytes());
    }

    @Test
    void failedPutsAreTriedAgainAndThenFail() throws IOException {
        store.puts.addAll(List.of(Fault.ERROR, Fault.ERROR));
        Written written = written(10_000);
        checkWhole(written.segments, written.content, written.extent);
        store.puts.addAll(Collections.nCopies(3, Fault.ERROR));
        assertThrows(IOException.class, () -> written(10_000));
        assertEquals(0, budget.usedBytes());
    }

    @Test
    void aHangingStoreMeetsTheDeadline() throws Exception {
        Written written = written(100_000);
        Segments hasty = segments(SegmentOptions.DEFAULT.withDeadline(SOON));
        store.gets.add(Fault.HANG);
        assertThrows(StoreTimeoutException.class, () -> checkWhole(hasty, written.content, written.extent));
        store.puts.add(Fault.HANG);
        assertThrows(StoreTimeoutException.class, () -> hasty.write(hasty.newSegment(), List.of(written.content)));
        eventually(() -> budget.usedBytes() == 0);
    }

    @Test
    void aDeafRequestKeepsItsMemoryUntilItEnds() throws Exception {
        Written written = written(100_000);
        Segments hasty = segments(SegmentOptions.DEFAULT.withDeadline(SOON));
        store.gets.add(Fault.HANG_DEAF);
        assertThrows(StoreTimeoutException.class, () -> checkWhole(hasty, written.content, written.extent));
        assertTrue(budget.usedBytes() > 0, "the request may still write into it");
        checkWhole(written.segments, written.content, written.extent);
        store.release.countDown();
        eventually(() -> store.deafEnded.get() == 1 && budget.usedBytes() == 0);
    }

    @Test
    void aSlowGetIsOvertakenByASecond() throws IOException {
        Written written = written(100_000);
        for (int i = 0; i < 40; i++) {
            checkWhole(written.segments, written.content, written.extent);
        }
        store.gets.add(Fault.HANG);
        checkWhole(written.segments, written.content, written.extent);
        assertEquals(1, registry.counter("larder_segment_hedges").count());
    }

    @Test
    void theBudgetIsNeverExceeded() throws IOException {
        Written written = written(8 << 20);
        List<Integer> readers = Collections.nCopies(24, 0);
        ObjectStoreContract.inParallel(readers, reader -> {
            checkWhole(written.segments, written.content, written.extent);
            written.segments.write(written.segments.newSegment(), List.of(written.content));
            return null;
        });
        assertTrue(budget.peakBytes() <= budget.totalBytes());
        assertTrue(budget.peakBytes() > 8 << 20);
        assertEquals(0, budget.usedBytes());
    }

    private Segments segments(SegmentOptions options) {
        return new Segments(store, () -> SESSION, budget, options, registry, Tags.empty());
    }

    private Written written(long bytes) throws IOException {
        Segments segments = segments(SegmentOptions.DEFAULT);
        MemorySegment content = Bytes.random(random, bytes);
        UUID id = segments.newSegment();
        byte[] table = segments.write(id, List.of(content)).getFirst();
        return new Written(segments, content, extent(id, table, content));
    }

    private List<MemorySegment> contents() {
        List<MemorySegment> contents = new ArrayList<>();
        for (int i = random.nextInt(1, 6); i > 0; i--) {
            long size = random.nextInt(4) == 0 ? random.nextInt(1, 100) : random.nextInt(1, 900_000);
            contents.add(random.nextBoolean() ? Bytes.random(random, size) : Bytes.compressible(random, size));
        }
        return contents;
    }

    private static Extent extent(UUID segment, byte[] table, MemorySegment content) {
        return new Extent(0, content.byteSize(), ExtentKind.SEGMENT, UUID.randomUUID(), 0, segment, table, null);
    }

    private void checkRanges(Segments segments, MemorySegment content, Extent extent) throws IOException {
        checkWhole(segments, content, extent);
        for (int i = 0; i < 6; i++) {
            long from = random.nextLong(content.byteSize());
            long to = random.nextLong(from + 1, content.byteSize() + 1);
            checkRange(segments, content, extent, from, to);
        }
    }

    private void checkWhole(Segments segments, MemorySegment content, Extent extent) throws IOException {
        checkRange(segments, content, extent, 0, content.byteSize());
    }

    private void checkRange(Segments segments, MemorySegment content, Extent extent, long from, long to)
            throws IOException {
        MemorySegment seen = Bytes.empty(content.byteSize());
        segments.read(extent, from, to, (at, bytes) -> {
            assertEquals(-1, bytes.mismatch(content.asSlice(at, bytes.byteSize())), "seed " + seed);
            MemorySegment.copy(bytes, 0, seen, at, bytes.byteSize());
        });
        assertEquals(-1, seen.asSlice(from, to - from).mismatch(content.asSlice(from, to - from)), "seed " + seed);
    }

    private void readOrCorrupt(Segments segments, MemorySegment content, Extent extent, String what)
            throws IOException {
        try {
            segments.read(
                    extent,
                    0,
                    content.byteSize(),
                    (at, bytes) -> assertEquals(-1, bytes.mismatch(content.asSlice(at, bytes.byteSize())), what));
        } catch (CorruptContentException found) {
            assertTrue(found.getMessage().contains("checksum"), found.getMessage());
        }
    }

    private static void eventually(java.util.function.BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "did not come true within 20 s");
            java.util.concurrent.TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private record Written(Segments segments, MemorySegment content, Extent extent) {
        void read() throws IOException {
            segments.read(
                    extent,
                    0,
                    content.byteSize(),
                    (at, bytes) -> assertEquals(-1, bytes.mismatch(content.asSlice(at, bytes.byteSize()))));
        }
    }
}
