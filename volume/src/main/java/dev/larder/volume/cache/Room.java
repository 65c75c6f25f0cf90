package dev.larder.volume.cache;

import dev.larder.volume.cache.Disk.Space;
import java.nio.file.Path;

/** Bytes used and promised, against the capacity and against the file system's free space. Thread-safe. */
final class Room {
    private static final long SAMPLE_NANOS = 250_000_000L;
    private static final long SAMPLE_BYTES = 32L << 20;
    private static final long LARGEST_FLOOR = 2L << 30;

    private final CacheOptions options;
    private final Disk disk;
    private final Path directory;
    private long used;
    private long reserved;
    private long headroom;
    private long grantedSinceSample;
    private long sampledAt;
    private boolean sampled;

    Room(CacheOptions options, Disk disk, Path directory, long used) {
        this.options = options;
        this.disk = disk;
        this.directory = directory;
        this.used = used;
    }

    synchronized boolean tryReserve(long bytes) {
        if (used + reserved + bytes > options.capacityBytes() || freeFor(bytes) < bytes) {
            return false;
        }
        reserved += bytes;
        grantedSinceSample += bytes;
        return true;
    }

    synchronized void release(long bytes) {
        reserved -= bytes;
    }

    synchronized void changed(long bytes) {
        used += bytes;
        if (bytes < 0) {
            sampled = false;
        }
    }

    synchronized boolean aboveHigh() {
        return used + reserved > options.capacityBytes() * options.highWatermark() || freeFor(0) <= 0;
    }

    /** Bytes to evict until the low watermark, and until a little is free above the floor. */
    synchronized long excess() {
        long overLow = used + reserved - (long) (options.capacityBytes() * options.lowWatermark());
        return Math.max(overLow, freeFor(0) <= 0 ? SAMPLE_BYTES / 4 : 0);
    }

    synchronized long used() {
        return used;
    }

    private long freeFor(long bytes) {
        long now = System.nanoTime();
        if (!sampled || now - sampledAt > SAMPLE_NANOS || grantedSinceSample + bytes > SAMPLE_BYTES) {
            Space space = disk.space(directory);
            long floor = options.freeFloorBytes() >= 0
                    ? options.freeFloorBytes()
                    : Math.min(space.totalBytes() / 10, LARGEST_FLOOR);
            headroom = space.availableBytes() - floor;
            sampledAt = now;
            sampled = true;
            grantedSinceSample = reserved;
        }
        return headroom - grantedSinceSample;
    }
}
