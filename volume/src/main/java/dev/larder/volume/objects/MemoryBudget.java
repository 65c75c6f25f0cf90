package dev.larder.volume.objects;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many bytes of off-heap memory a volume's transfers may hold at once. Strictly first come, first served, so a large
 * request is never starved by small ones; every wait has a deadline. Whoever holds a grant must not wait for another:
 * what a transfer needs is asked for at once.
 *
 * <p>Safe for any number of threads.
 */
public final class MemoryBudget {
    private final long totalBytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private long usedBytes;
    private long peakBytes;

    public MemoryBudget(long totalBytes) {
        if (totalBytes <= 0) {
            throw new IllegalArgumentException("a memory budget needs at least one byte, not " + totalBytes);
        }
        this.totalBytes = totalBytes;
    }

    /**
     * Waits its turn for that many bytes.
     *
     * @throws StoreTimeoutException not within {@code patience}
     * @throws IllegalArgumentException more than the whole budget
     */
    public Grant acquire(long bytes, Duration patience) throws StoreTimeoutException, InterruptedIOException {
        checkFits(bytes);
        lock.lock();
        try {
            if (!waiters.isEmpty() || !fits(bytes)) {
                await(new Waiter(bytes, lock.newCondition()), patience);
            }
            return grant(bytes);
        } finally {
            lock.unlock();
        }
    }

    /** Without waiting and never before one who waits. @return null when it cannot be had now */
    public Grant tryAcquire(long bytes) {
        checkFits(bytes);
        lock.lock();
        try {
            return waiters.isEmpty() && fits(bytes) ? grant(bytes) : null;
        } finally {
            lock.unlock();
        }
    }

    public long totalBytes() {
        return totalBytes;
    }

    public long usedBytes() {
        lock.lock();
        try {
            return usedBytes;
        } finally {
            lock.unlock();
        }
    }

    /** The most that was ever held at once. */
    public long peakBytes() {
        lock.lock();
        try {
            return peakBytes;
        } finally {
            lock.unlock();
        }
    }

    /** Requests that wait now. */
    public int waiting() {
        lock.lock();
        try {
            return waiters.size();
        } finally {
            lock.unlock();
        }
    }

    private void await(Waiter waiter, Duration patience) throws StoreTimeoutException, InterruptedIOException {
        waiters.addLast(waiter);
        try {
            long left = patience.toNanos();
            while (waiters.peekFirst() != waiter || !fits(waiter.bytes)) {
                if (left <= 0) {
                    throw new StoreTimeoutException("waited " + patience.toMillis() + " ms for " + waiter.bytes
                            + " bytes of the transfer memory of " + totalBytes + " bytes, " + usedBytes
                            + " are in use: raise the memory budget or lower the number of parallel transfers");
                }
                left = waiter.turn.awaitNanos(left);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for transfer memory");
        } finally {
            waiters.remove(waiter);
            wakeFirst();
        }
    }

    private Grant grant(long bytes) {
        usedBytes += bytes;
        peakBytes = Math.max(peakBytes, usedBytes);
        wakeFirst();
        return new Grant(bytes);
    }

    private void giveBack(long bytes) {
        lock.lock();
        try {
            usedBytes -= bytes;
            wakeFirst();
        } finally {
            lock.unlock();
        }
    }

    private void wakeFirst() {
        Waiter first = waiters.peekFirst();
        if (first != null && fits(first.bytes)) {
            first.turn.signal();
        }
    }

    private boolean fits(long bytes) {
        return bytes <= totalBytes - usedBytes;
    }

    private void checkFits(long bytes) {
        if (bytes < 0 || bytes > totalBytes) {
            throw new IllegalArgumentException(
                    bytes + " bytes were asked of a memory budget of " + totalBytes + ": raise the budget");
        }
    }

    /** Compared by identity: two requests of the same size are two. */
    private static final class Waiter {
        final long bytes;
        final Condition turn;

        Waiter(long bytes, Condition turn) {
            this.bytes = bytes;
            this.turn = turn;
        }
    }

    /** Bytes held until closed; closing twice is harmless. */
    public final class Grant implements AutoCloseable {
        private final long bytes;
        private boolean closed;

        private Grant(long bytes) {
            this.bytes = bytes;
        }

        public long bytes() {
            return bytes;
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (!closed) {
                    closed = true;
                    giveBack(bytes);
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
