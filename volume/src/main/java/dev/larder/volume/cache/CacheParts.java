package dev.larder.volume.cache;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What the files of one cache share.
 *
 * @param era of this process: another one's is another number
 */
record CacheParts(
        CacheDirectory directory,
        CacheOptions options,
        Disk disk,
        DirtyJournal journal,
        Index index,
        Room room,
        Eviction eviction,
        DiskHealth health,
        OpenFile.Pool openFiles,
        AtomicLong epochs,
        Counters counters,
        long era) {

    /** Figures of {@link NodeCache.Stats}. */
    static final class Counters {
        final LongAdder files = new LongAdder();
        final LongAdder cleanBytes = new LongAdder();
        final LongAdder dirtyBytes = new LongAdder();
        final LongAdder hits = new LongAdder();
        final LongAdder misses = new LongAdder();
        final LongAdder hitBytes = new LongAdder();
        final LongAdder missBytes = new LongAdder();
        final LongAdder evictedBytes = new LongAdder();
    }
}
