package dev.larder.volume.cache;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The descriptor of one cache file, opened when first used. While nobody uses it, it may be closed to keep the number
 * of open ones bounded (second chance). Thread-safe.
 */
final class OpenFile {
    private static final int CLOSED = -1;

    private final CacheDirectory directory;
    private final long inode;
    private final Pool pool;
    private final AtomicInteger uses = new AtomicInteger(CLOSED);
    private final ReentrantLock lock = new ReentrantLock();
    private volatile boolean recent;
    private volatile int descriptor;

    OpenFile(CacheDirectory directory, long inode, Pool pool) {
        this.directory = directory;
        this.inode = inode;
        this.pool = pool;
    }

    /** The descriptor, good until {@link #release}. */
    int acquire() {
        int now = uses.get();
        while (now >= 0) {
            if (uses.compareAndSet(now, now + 1)) {
                recent = true;
                return descriptor;
            }
            now = uses.get();
        }
        return openAndAcquire();
    }

    private int openAndAcquire() {
        lock.lock();
        try {
            if (uses.get() != CLOSED) {
                uses.incrementAndGet();
                return descriptor;
            }
            descriptor = pool.disk.open(directory.file(inode));
            uses.set(1);
        } finally {
            lock.unlock();
        }
        pool.opened(this);
        return descriptor;
    }

    void release() {
        uses.decrementAndGet();
    }

    boolean isUsed() {
        return uses.get() > 0;
    }

    /** Closes it when nobody uses it. */
    boolean closeIdle() {
        lock.lock();
        try {
            if (!uses.compareAndSet(0, CLOSED)) {
                return uses.get() == CLOSED;
            }
            pool.disk.close(descriptor);
            pool.open.decrementAndGet();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private boolean wasRecent() {
        boolean was = recent;
        recent = false;
        return was;
    }

    /** All open files of a cache. */
    static final class Pool {
        private final Disk disk;
        private final int most;
        private final AtomicInteger open = new AtomicInteger();
        private final ConcurrentLinkedQueue<OpenFile> ring = new ConcurrentLinkedQueue<>();

        Pool(Disk disk, int most) {
            this.disk = disk;
            this.most = most;
        }

        int open() {
            return open.get();
        }

        private void opened(OpenFile file) {
            ring.add(file);
            int tries = open.incrementAndGet() > most ? 64 : 0;
            for (OpenFile next = tries > 0 ? ring.poll() : null; next != null; next = ring.poll()) {
                boolean gone = !next.wasRecent() && next != file && next.closeIdle();
                if (!gone) {
                    ring.add(next);
                }
                if (open.get() <= most || --tries == 0) {
                    return;
                }
            }
        }
    }
}
