package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem.Usage;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The volume's usage as this session knows it: the sum of the last heartbeat, and what was granted here since and is not
 * committed. While other sessions live, at most {@link #RESERVATION_BYTES} are granted between two heartbeats, so that
 * all mounts together overshoot the quota by at most sessions x reservation.
 */
final class QuotaLedger implements Quota {
    static final long RESERVATION_BYTES = 8L << 20;
    static final long RESERVATION_INODES = 1_000;

    private final Supplier<Heartbeat> heartbeats;
    private final LongSupplier uncommittedBytes;
    private final long minimumRefreshNanos;
    private long usedBytes;
    private long usedInodes;
    private long quotaBytes;
    private long quotaInodes;
    private long grownBytes;
    private long grownInodes;
    private long refreshedNanos;
    private volatile int otherSessions;

    /**
     * @param heartbeats asks the database
     * @param uncommittedBytes written here and not yet in the database's sum
     */
    QuotaLedger(Supplier<Heartbeat> heartbeats, LongSupplier uncommittedBytes, Duration minimumRefresh) {
        this.heartbeats = heartbeats;
        this.uncommittedBytes = uncommittedBytes;
        this.minimumRefreshNanos = minimumRefresh.toNanos();
        this.refreshedNanos = System.nanoTime() - minimumRefreshNanos;
    }

    void otherSessions(int live) {
        otherSessions = live;
    }

    /** A heartbeat's answer: the sum is true again, but for what is still on its way. */
    void refreshed(Heartbeat heartbeat) {
        long dirty = uncommittedBytes.getAsLong();
        synchronized (this) {
            usedBytes = heartbeat.usedBytes();
            usedInodes = heartbeat.usedInodes();
            quotaBytes = heartbeat.quotaBytes();
            quotaInodes = heartbeat.quotaInodes();
            grownBytes = Math.max(0, Math.min(grownBytes, dirty));
            grownInodes = 0;
            refreshedNanos = System.nanoTime();
        }
    }

    @Override
    public void grow(long bytes, long inodes) {
        if (needsRefresh(bytes, inodes)) {
            refreshed(heartbeats.get());
        }
        synchronized (this) {
            if (exceeds(bytes, inodes)) {
                throw new ErrnoException(Errno.EDQUOT);
            }
            grownBytes += bytes;
            grownInodes += inodes;
        }
    }

    @Override
    public synchronized void shrink(long bytes, long inodes) {
        grownBytes -= bytes;
        grownInodes -= inodes;
    }

    synchronized Usage usage() {
        long bytes = Math.max(0, usedBytes + grownBytes);
        long inodes = Math.max(0, usedInodes + grownInodes);
        return new Usage(bytes, inodes, quotaBytes, quotaInodes);
    }

    private synchronized boolean needsRefresh(long bytes, long inodes) {
        if (quotaBytes == 0 && quotaInodes == 0) {
            return false;
        }
        if (exceeds(bytes, inodes)) {
            return System.nanoTime() - refreshedNanos >= minimumRefreshNanos;
        }
        boolean shared = otherSessions > 0;
        return shared && reserved(grownBytes + bytes, quotaBytes, RESERVATION_BYTES)
                || shared && reserved(grownInodes + inodes, quotaInodes, RESERVATION_INODES);
    }

    private static boolean reserved(long grown, long quota, long reservation) {
        return quota > 0 && grown > reservation;
    }

    private boolean exceeds(long bytes, long inodes) {
        return (bytes > 0 && quotaBytes > 0 && usedBytes + grownBytes + bytes > quotaBytes)
                || (inodes > 0 && quotaInodes > 0 && usedInodes + grownInodes + inodes > quotaInodes);
    }
}
