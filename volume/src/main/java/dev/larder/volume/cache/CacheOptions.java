package dev.larder.volume.cache;

import java.time.Duration;

/**
 * A cache directory's limits.
 *
 * @param highWatermark share of the capacity at which the background eviction starts
 * @param lowWatermark share of the capacity at which it stops
 * @param freeFloorBytes what stays free on the file system; -1 = a tenth of it, at most 2 GiB
 * @param writeWait how long a write waits for room before ENOSPC
 * @param openFiles descriptors kept open at most while idle
 * @param idleEntries files whose ranges are kept in memory at most while nobody has them open
 * @param journalRecords smallest journal, records of 64 bytes
 */
public record CacheOptions(
        long capacityBytes,
        double highWatermark,
        double lowWatermark,
        long freeFloorBytes,
        Duration writeWait,
        int openFiles,
        int idleEntries,
        long journalRecords,
        Policy policy) {
    /** What to evict first. */
    public enum Policy {
        W_TINY_LFU,
        LRU
    }

    public CacheOptions {
        if (capacityBytes <= 0) {
            throw new IllegalArgumentException("the cache's capacity must be positive, is " + capacityBytes);
        }
        if (!(0 < lowWatermark && lowWatermark <= highWatermark && highWatermark <= 1)) {
            throw new IllegalArgumentException("the cache's watermarks must be 0 < low <= high <= 1, are "
                    + lowWatermark + " and " + highWatermark);
        }
        if (openFiles < 1 || idleEntries < 1 || journalRecords < 16) {
            throw new IllegalArgumentException(
                    "openFiles and idleEntries must be positive, journalRecords at least 16");
        }
    }

    public static CacheOptions ofCapacity(long capacityBytes) {
        return new CacheOptions(
                capacityBytes, 0.95, 0.90, -1, Duration.ofSeconds(30), 2048, 16_384, 1 << 18, Policy.W_TINY_LFU);
    }
}
