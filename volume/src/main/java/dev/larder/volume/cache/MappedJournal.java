package dev.larder.volume.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * A memory-mapped journal of small fixed-size records. A record is in the page cache when {@link #append} returns, so
 * it outlives the process; {@link #force} makes it outlive a power loss. A torn last record is dropped at open.
 *
 * <p>When a file is half full, {@link #compact} writes the live records into a new file and continues there; when it is
 * full before that, its records are copied into a file of twice the size. The switch is the new file's header, written
 * last; the old file is deleted after it. Thread-safe; {@link #append} never waits for a compaction.
 *
 * <p>Format, little endian: header of 64 bytes (magic, version, generation, crc), then records of 64 bytes: crc32c 0,
 * kind 4, sequence 8, six longs 16. The checksum covers the file's generation and the record's place in it too.
 */
public final class MappedJournal implements AutoCloseable {
    /** Longs a record carries. */
    public static final int VALUES = 6;

    private final Path directory;
    private final Disk disk;
    private final long minimumRecords;
    private final Compaction compaction;
    private final ReentrantLock lock = new ReentrantLock();
    private final ReentrantLock compacting = new ReentrantLock();
    private JournalFile file;
    private long sequence;
    private long nameCounter;
    private volatile boolean crowded;

    /** Decides what of the journal is still alive. */
    @FunctionalInterface
    public interface Compaction {
        /**
         * Called without the journal's lock, while others append.
         *
         * @param records all records up to now, in order; what is appended meanwhile is kept as it is
         * @return what replaces them, in order; sequences are kept as given
         */
        List<JournalRecord> live(List<JournalRecord> records);
    }

    /** One record; values has {@link #VALUES} longs, kind is not 0. */
    public record JournalRecord(long sequence, int kind, long[] values) {
        public long value(int index) {
            return values[index];
        }
    }

    private MappedJournal(Path directory, Disk disk, long minimumRecords, Compaction compaction) {
        this.directory = directory;
        this.disk = disk;
        this.minimumRecords = minimumRecords;
        this.compaction = compaction;
    }

    /** Opens or makes the journal in a directory of its own. */
    public static MappedJournal open(Path directory, long minimumRecords, Compaction compaction) {
        return open(directory, new LinuxDisk(), minimumRecords, compaction);
    }

    static MappedJournal open(Path directory, Disk disk, long minimumRecords, Compaction compaction) {
        MappedJournal journal = new MappedJournal(directory, disk, minimumRecords, compaction);
        try {
            journal.openNewest();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open the journal in " + directory + ": " + e.getMessage(), e);
        }
        return journal;
    }

    private void openNewest() throws IOException {
        Files.createDirectories(directory);
        List<JournalFile> valid = new ArrayList<>();
        try (Stream<Path> paths = Files.list(directory)) {
            for (Path path : paths.toList()) {
                nameCounter = Math.max(nameCounter, JournalFile.number(path));
                JournalFile opened = JournalFile.openExisting(path, disk);
                if (opened == null) {
                    Files.deleteIfExists(path);
                } else {
                    valid.add(opened);
                }
            }
        }
        valid.sort(Comparator.comparingLong(JournalFile::generation));
        for (JournalFile old : valid.subList(0, Math.max(0, valid.size() - 1))) {
            old.delete();
        }
        if (valid.isEmpty()) {
            file = create(1, minimumRecords);
            file.publish();
        } else {
            file = valid.getLast();
            sequence = file.lastSequence();
        }
        crowded = file.count() > file.capacity() / 2;
    }

    /** @return the record's sequence, one more than the one before */
    public long append(int kind, long a, long b, long c, long d, long e, long f) {
        lock.lock();
        try {
            if (file.isFull()) {
                grow();
            }
            file.append(++sequence, kind, a, b, c, d, e, f);
            if (!crowded && file.count() > file.capacity() / 2) {
                crowded = true;
            }
            return sequence;
        } finally {
            lock.unlock();
        }
    }

    /** Whether {@link #compact} should be called soon. */
    public boolean isCrowded() {
        return crowded;
    }

    /** The last record's sequence. */
    public long sequence() {
        lock.lock();
        try {
            return sequence;
        } finally {
            lock.unlock();
        }
    }

    /** Raises the next sequence, for a journal whose older sequences are named elsewhere. */
    void atLeast(long lowest) {
        lock.lock();
        try {
            sequence = Math.max(sequence, lowest);
        } finally {
            lock.unlock();
        }
    }

    public List<JournalRecord> records() {
        lock.lock();
        try {
            return file.read(0, file.count());
        } finally {
            lock.unlock();
        }
    }

    /** Rewrites the live records into a new file; one at a time, a second caller waits for the first. */
    public void compact() {
        compacting.lock();
        try {
            List<JournalRecord> before = records();
            List<JournalRecord> live = compaction.live(before);
            lock.lock();
            try {
                List<JournalRecord> since = file.read(before.size(), file.count());
                JournalFile next =
                        create(file.generation() + 1, Math.max(minimumRecords, 4L * (live.size() + since.size())));
                live.forEach(next::append);
                since.forEach(next::append);
                switchTo(next);
            } finally {
                lock.unlock();
            }
        } finally {
            compacting.unlock();
        }
    }

    /** Everything appended so far outlives a power loss. */
    public void force() {
        lock.lock();
        try {
            file.force();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            file.close();
        } finally {
            lock.unlock();
        }
    }

    private void grow() {
        JournalFile next = create(file.generation() + 1, 2 * file.capacity());
        file.read(0, file.count()).forEach(next::append);
        switchTo(next);
    }

    private void switchTo(JournalFile next) {
        next.publish();
        JournalFile old = file;
        file = next;
        crowded = file.count() > file.capacity() / 2;
        old.delete();
    }

    private JournalFile create(long generation, long records) {
        return JournalFile.create(directory.resolve(Long.toString(++nameCounter)), disk, generation, records);
    }

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static MemorySegment view(byte[] bytes) {
        return MemorySegment.ofArray(bytes);
    }
}
