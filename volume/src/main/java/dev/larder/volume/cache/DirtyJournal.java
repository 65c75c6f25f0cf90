package dev.larder.volume.cache;

import dev.larder.volume.cache.MappedJournal.JournalRecord;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Every change of a cached range, written ahead of the index: a clean range is taken back here before its bytes are
 * touched, a new range is named here after its bytes are in the file. So index + journal never claim bytes that are not
 * there, and nothing that was claimed is forgotten when the process dies.
 */
final class DirtyJournal implements AutoCloseable {
    static final int DIRTY = 1;
    static final int CLEAN = 2;
    static final int FORGET = 3;
    static final int DISCARD = 4;
    static final int TRUNCATE = 5;
    static final int REMOVE = 6;
    static final int FORCED = 7;
    static final int CREATED = 8;
    /** Only that a request has been executed: what a compaction keeps of DIRTY records that are no longer needed. */
    static final int WRITTEN = 9;

    private static final int TAG = 4;
    /** More than can have been executed and not answered when a process dies. */
    private static final int TAGS_KEPT = 4096;

    private final Set<Long> inherited = new HashSet<>();

    private final MappedJournal journal;

    DirtyJournal(Path directory, Disk disk, long records, Runnable checkpointIndex) {
        journal = MappedJournal.open(directory, disk, records, before -> {
            checkpointIndex.run();
            return dirtyOf(before);
        });
        tagged(journal.records()).forEach(record -> inherited.add(record.value(TAG)));
    }

    /** @param tag of the request that wrote, or 0 */
    void dirty(long inode, long offset, long length, long tag) {
        journal.append(DIRTY, inode, offset, length, 0, tag, 0);
    }

    void clean(long inode, Piece piece) {
        Provenance from = piece.provenance();
        journal.append(
                CLEAN,
                inode,
                piece.start(),
                piece.length(),
                from.content().getMostSignificantBits(),
                from.content().getLeastSignificantBits(),
                from.skip());
    }

    /** The clean bytes of the range are no longer to be believed. */
    void forget(long inode, long offset, long length) {
        journal.append(FORGET, inode, offset, length, 0, 0, 0);
    }

    void discard(long inode, long offset, long length) {
        journal.append(DISCARD, inode, offset, length, 0, 0, 0);
    }

    void truncate(long inode, long size) {
        journal.append(TRUNCATE, inode, size, 0, 0, 0, 0);
    }

    void remove(long inode) {
        journal.append(REMOVE, inode, 0, 0, 0, 0, 0);
    }

    void created(long inode) {
        journal.append(CREATED, inode, 0, 0, 0, 0, 0);
    }

    /** Dirty records up to the sequence have their bytes on the disk itself. */
    void forced(long inode, long sequence) {
        journal.append(FORCED, inode, sequence, 0, 0, 0, 0);
    }

    /** A predecessor executed the request. */
    boolean wasWritten(long tag) {
        return inherited.contains(tag);
    }

    private static List<JournalRecord> tagged(List<JournalRecord> records) {
        List<JournalRecord> tagged = records.stream()
                .filter(record -> record.kind() == DIRTY || record.kind() == WRITTEN)
                .filter(record -> record.value(TAG) != 0)
                .toList();
        return tagged.subList(Math.max(0, tagged.size() - TAGS_KEPT), tagged.size());
    }

    List<JournalRecord> records() {
        return journal.records();
    }

    long sequence() {
        return journal.sequence();
    }

    void atLeast(long sequence) {
        journal.atLeast(sequence);
    }

    boolean isCrowded() {
        return journal.isCrowded();
    }

    void compact() {
        journal.compact();
    }

    void force() {
        journal.force();
    }

    @Override
    public void close() {
        journal.close();
    }

    private static List<JournalRecord> dirtyOf(List<JournalRecord> before) {
        List<JournalRecord> live = new ArrayList<>();
        for (JournalRecord record : tagged(before)) {
            long[] values = {record.value(0), 0, 0, 0, record.value(TAG), 0};
            live.add(new JournalRecord(record.sequence(), WRITTEN, values));
        }
        long sequence = before.isEmpty() ? 0 : before.getLast().sequence();
        for (Map.Entry<Long, Replay.State> entry : Replay.dirtyOnly(before).entrySet()) {
            for (Piece piece : entry.getValue().ranges().all()) {
                long forced = piece.generation() == Replay.FORCED_GENERATION ? 1 : 0;
                long[] values = {entry.getKey(), piece.start(), piece.length(), forced, 0, 0};
                live.add(new JournalRecord(sequence, DIRTY, values));
            }
        }
        return live;
    }
}
