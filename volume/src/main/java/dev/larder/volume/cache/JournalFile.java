package dev.larder.volume.cache;

import static dev.larder.volume.cache.MappedJournal.INT;
import static dev.larder.volume.cache.MappedJournal.LONG;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.MappedJournal.JournalRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** One mapped file of a {@link MappedJournal}. Its blocks are allocated first: a full disk must not be a SIGBUS. */
final class JournalFile {
    static final int RECORD_BYTES = 64;
    private static final long MAGIC = 0x4c41524445524a31L;
    private static final int VERSION = 1;

    private final Path path;
    private final Arena arena;
    private final MemorySegment map;
    private final long generation;
    private final byte[] scratch = new byte[RECORD_BYTES + 16];
    private final MemorySegment scratchView = MappedJournal.view(scratch);
    private final ByteBuffer fields = ByteBuffer.wrap(scratch).order(ByteOrder.LITTLE_ENDIAN);
    private final CRC32C crc = new CRC32C();
    private int count;
    private long lastSequence;

    private JournalFile(Path path, Arena arena, MemorySegment map, long generation) {
        this.path = path;
        this.arena = arena;
        this.map = map;
        this.generation = generation;
    }

    static long number(Path path) {
        String name = path.getFileName().toString();
        return name.matches("\\d{1,18}") ? Long.parseLong(name) : 0;
    }

    static JournalFile create(Path path, Disk disk, long generation, long records) {
        long bytes = (records + 1) * RECORD_BYTES;
        int descriptor = disk.open(path);
        try {
            disk.allocate(descriptor, bytes);
        } catch (ErrnoException e) {
            disk.unlink(path);
            throw e;
        } finally {
            disk.close(descriptor);
        }
        return map(path, bytes, generation);
    }

    /** @return null when its header was never published */
    static JournalFile openExisting(Path path, Disk disk) throws IOException {
        long bytes = Files.size(path);
        if (bytes < 2 * RECORD_BYTES) {
            return null;
        }
        JournalFile file = map(path, bytes, 0);
        long generation = file.headerGeneration();
        file.arena.close();
        if (generation == 0) {
            return null;
        }
        JournalFile valid = map(path, bytes, generation);
        int descriptor = disk.open(path);
        try {
            disk.allocate(descriptor, bytes);
        } finally {
            disk.close(descriptor);
        }
        valid.recount();
        return valid;
    }

    private static JournalFile map(Path path, long bytes, long generation) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new JournalFile(
                    path, arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena), generation);
        } catch (IOException e) {
            arena.close();
            throw new UncheckedIOException("cannot map the journal " + path + ": " + e.getMessage(), e);
        }
    }

    long generation() {
        return generation;
    }

    long capacity() {
        return map.byteSize() / RECORD_BYTES - 1;
    }

    int count() {
        return count;
    }

    long lastSequence() {
        return lastSequence;
    }

    boolean isFull() {
        return count >= capacity();
    }

    void append(JournalRecord record) {
        long[] v = record.values();
        append(record.sequence(), record.kind(), v[0], v[1], v[2], v[3], v[4], v[5]);
    }

    void append(long sequence, int kind, long a, long b, long c, long d, long e, long f) {
        fields.putInt(4, kind);
        fields.putLong(8, sequence);
        fields.putLong(16, a);
        fields.putLong(24, b);
        fields.putLong(32, c);
        fields.putLong(40, d);
        fields.putLong(48, e);
        fields.putLong(56, f);
        fields.putInt(0, checksum(count));
        MemorySegment.copy(scratchView, 0, map, place(count), RECORD_BYTES);
        count++;
        lastSequence = sequence;
    }

    List<JournalRecord> read(int from, int to) {
        List<JournalRecord> records = new ArrayList<>(to - from);
        for (int i = from; i < to; i++) {
            long at = place(i);
            long[] values = new long[MappedJournal.VALUES];
            for (int v = 0; v < values.length; v++) {
                values[v] = map.get(LONG, at + 16 + 8L * v);
            }
            records.add(new JournalRecord(map.get(LONG, at + 8), map.get(INT, at + 4), values));
        }
        return records;
    }

    /** Writes the header that makes this file the journal; its records are forced first. */
    void publish() {
        force();
        map.set(LONG, 0, MAGIC);
        map.set(INT, 8, VERSION);
        map.set(LONG, 16, generation);
        map.set(INT, 24, headerChecksum());
        force();
    }

    void force() {
        map.asSlice(0, place(count)).force();
    }

    void close() {
        arena.close();
    }

    void delete() {
        arena.close();
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the old journal " + path + ": " + e.getMessage(), e);
        }
    }

    private long headerGeneration() {
        boolean valid = map.get(LONG, 0) == MAGIC && map.get(INT, 24) == headerChecksum();
        if (valid && map.get(INT, 8) != VERSION) {
            throw new IllegalStateException("the journal " + path + " has format " + map.get(INT, 8)
                    + ", this version knows " + VERSION + ": use a newer Larder or another cache directory");
        }
        return valid ? map.get(LONG, 16) : 0;
    }

    private int headerChecksum() {
        crc.reset();
        crc.update(map.asSlice(0, 24).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
        return (int) crc.getValue();
    }

    private void recount() {
        while (!isFull()) {
            MemorySegment.copy(map, place(count), scratchView, 0, RECORD_BYTES);
            if (scratchView.get(INT, 4) == 0 || scratchView.get(INT, 0) != checksum(count)) {
                return;
            }
            lastSequence = Math.max(lastSequence, scratchView.get(LONG, 8));
            count++;
        }
    }

    private int checksum(int index) {
        fields.putLong(RECORD_BYTES, generation);
        fields.putLong(RECORD_BYTES + 8, index);
        crc.reset();
        crc.update(scratch, 4, scratch.length - 4);
        return (int) crc.getValue();
    }

    private static long place(int index) {
        return (long) (index + 1) * RECORD_BYTES;
    }
}
