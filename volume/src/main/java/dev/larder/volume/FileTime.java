package dev.larder.volume;

import java.time.Instant;

/** A time of an inode: seconds since the epoch (may be negative) and nanoseconds 0 to 999,999,999. */
public record FileTime(long seconds, int nanos) implements Comparable<FileTime> {
    public static FileTime now() {
        Instant now = Instant.now();
        return new FileTime(now.getEpochSecond(), now.getNano());
    }

    @Override
    public int compareTo(FileTime other) {
        int bySeconds = Long.compare(seconds, other.seconds);
        return bySeconds != 0 ? bySeconds : Integer.compare(nanos, other.nanos);
    }
}
