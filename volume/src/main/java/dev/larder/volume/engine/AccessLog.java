package dev.larder.volume.engine;

import dev.larder.volume.Caller;
import dev.larder.volume.FileName;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The last operations, one line each, written only while somebody reads. A ring of fixed size: a reader that is too slow
 * misses lines and is told how many.
 */
final class AccessLog {
    private static final int LINES = 8_192;

    private final String[] ring = new String[LINES];
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition written = lock.newCondition();
    private final AtomicInteger readers = new AtomicInteger();
    private long next;

    boolean active() {
        return readers.get() > 0;
    }

    /** @return the position of the first line the new reader sees */
    long open() {
        lock.lock();
        try {
            readers.incrementAndGet();
            return next;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        readers.decrementAndGet();
    }

    void add(String operation, Caller caller, long inode, FileName name, String outcome, long nanos) {
        String line = Instant.now() + " uid=" + caller.uid() + " gid=" + caller.gid() + " pid=" + caller.pid() + " "
                + operation + " inode=" + inode + (name == null ? "" : " name=" + printable(name)) + " " + outcome
                + String.format(" %.6fs%n", nanos / 1e9);
        lock.lock();
        try {
            ring[(int) (next++ % LINES)] = line;
            written.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static String printable(FileName name) {
        StringBuilder text = new StringBuilder();
        name.toString().chars().forEach(c -> text.append(c < ' ' || c == 0x7f ? '?' : (char) c));
        return text.toString();
    }

    /** What was written and where to go on. */
    record Chunk(byte[] bytes, long next) {}

    /** Lines from a position on; waits a moment for the first and gives "#" when there was none. */
    Chunk read(long position, long waitMillis, int maxBytes) {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
            while (next <= position && left > 0) {
                left = written.awaitNanos(left);
            }
            return next <= position
                    ? new Chunk("#\n".getBytes(StandardCharsets.UTF_8), position)
                    : lines(position, maxBytes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Chunk(new byte[0], position);
        } finally {
            lock.unlock();
        }
    }

    private Chunk lines(long position, int maxBytes) {
        long from = Math.max(position, next - LINES);
        StringBuilder text = new StringBuilder();
        if (from > position) {
            text.append("# ").append(from - position).append(" lines missed\n");
        }
        while (from < next && fits(text, ring[(int) (from % LINES)], maxBytes)) {
            text.append(ring[(int) (from++ % LINES)]);
        }
        return new Chunk(text.toString().getBytes(StandardCharsets.UTF_8), from);
    }

    /** A line of up to 255 bytes of name may be three times as long in UTF-8 as it has characters. */
    private static boolean fits(StringBuilder text, String line, int maxBytes) {
        return (text.length() + line.length()) * 3L <= maxBytes || text.isEmpty();
    }
}
