package dev.larder.volume.cache;

import dev.larder.volume.cache.NodeCache.Present;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One inode's cache file. Thread-safe; reads of present ranges run in parallel with each other and with fills of other
 * ranges. A range is absent, present (clean, with provenance) or dirty (written here, not yet committed).
 *
 * <p>Lock order: a caller's own inode lock before this one's; nothing here calls back.
 */
public interface CachedFile extends AutoCloseable {
    long inode();

    /** The file itself, for passthrough; valid until close. */
    int descriptor();

    /**
     * Reads when every byte of the range is present or dirty.
     *
     * @return false = something is missing, nothing was counted as read
     */
    boolean read(long offset, MemorySegment into);

    /** The parts of a range that are absent. */
    List<Range> absent(long offset, long length);

    /**
     * Stores fetched, verified bytes. Parts that have become dirty or present meanwhile are left as they are.
     *
     * @param epoch from {@link #epoch}, read before the metadata was asked: a fill that is older than an
     *     {@link #invalidate} or {@link #reconcile} of the range is dropped
     */
    void fill(long offset, MemorySegment bytes, Provenance provenance, long epoch);

    /** Marks a hole as present: reads as zeros. */
    void fillHole(long offset, long length, long epoch);

    long epoch();

    /** Writes new bytes; in the file and the journal when it returns. The sizes of the range maps stay bounded. */
    default void write(long offset, MemorySegment bytes) {
        write(offset, bytes, 0);
    }

    /** @param tag names the request in the journal, for {@link #wasWritten} in a successor process; 0 = none */
    void write(long offset, MemorySegment bytes, long tag);

    /** A predecessor process executed the write of that tag: its bytes are in the file, or have been committed. */
    boolean wasWritten(long tag);

    /**
     * Makes present ranges dirty without writing: bytes that came in through a mapping of the backing file, or whose
     * commit the database lost. Absent parts of the range stay absent.
     */
    void markDirty(long offset, long length);

    /** Dirty ranges, merged, and the sequence to name in {@link #committed}. */
    Dirty dirty();

    /** Ranges written before the snapshot and not since become present with this provenance. */
    void committed(long offset, long length, Provenance provenance, long sequence);

    /** The file ends here now: what lies beyond is dropped, dirty bytes too, and reads as zeros if it grows again. */
    void truncate(long size);

    /** Sets the file's length on disk without touching any range (kept equal to the inode's size for passthrough). */
    void extendTo(long size);

    /**
     * As {@link #extendTo}, and a longer file is cut: another node made it shorter, and the kernel, which reads this file
     * itself, takes its length for the end. Dirty bytes are never cut off.
     */
    void fitTo(long size);

    /** Forgets a range, dirty bytes too (punch hole, collapse). */
    void discard(long offset, long length);

    /** Forgets clean bytes of a range. */
    void invalidate(long offset, long length);

    /**
     * Keeps the clean ranges that the new content still has, forgets the others.
     *
     * @param truth the file's content between from and to, in order; gaps are holes
     */
    void reconcile(long from, long to, List<Present> truth);

    /** The clean ranges are right for this content, all of them. */
    void describe(ContentVersion content);

    /** An earlier process has {@link #describe}d them so, and none since differently. */
    boolean wasDescribed(ContentVersion content);

    /** Something else may have changed the file since its ranges were recorded; cheap. */
    boolean isSuspect();

    /** The clean parts of a range that are to be compared with their checksums before they are believed. */
    List<Range> unverified(long from, long to);

    /** A range has been compared; what did not fit has been {@link #invalidate}d. */
    void verified(long from, long to);

    /** Every byte below size is present and clean. */
    boolean complete(long size);

    /** Never evicted while pinned. Counts. */
    void pin();

    void unpin();

    /** Bytes present and dirty. */
    long presentBytes();

    long dirtyBytes();

    /** fdatasync of the file and its journal. */
    void force();

    @Override
    void close();

    record Range(long offset, long length) {
        public long end() {
            return offset + length;
        }
    }

    record Dirty(List<Range> ranges, long sequence) {
        public long bytes() {
            return ranges.stream().mapToLong(Range::length).sum();
        }
    }
}
