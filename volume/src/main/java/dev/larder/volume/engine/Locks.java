package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem.Cancellation;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * flock and fcntl locks: the database grants them; what was granted here is remembered, so that closing a file without
 * locks costs nothing and a database that lost commits can be told again. Who waits is woken by a release here at once
 * and by one elsewhere through the feed.
 */
final class Locks {
    private static final Logger LOG = LoggerFactory.getLogger(Locks.class);
    private static final long RETRY_MILLIS = 1_000;

    private final Metadata metadata;
    private final Coherence coherence;
    private final ConcurrentHashMap<Owner, LockRanges> granted = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Long, Set<Semaphore>> waiters = new ConcurrentHashMap<>();

    private final boolean inherited;

    private record Owner(long inode, long owner, boolean flock) {}

    /** @param inherited the session was a dead process's */
    Locks(Metadata metadata, Coherence coherence, boolean inherited) {
        this.inherited = inherited;
        this.metadata = metadata;
        this.coherence = coherence;
    }

    FileLock test(long inode, FileLock wanted) {
        return metadata.testLock(inode, wanted);
    }

    /** A session that was taken over from a dead process may hold locks that nobody remembers. */
    boolean holds(long inode, long owner, boolean flock) {
        return inherited || granted.containsKey(new Owner(inode, owner, flock));
    }

    /** Gives up whatever the owner has on the inode, as a close does. */
    void releaseAll(Op op, long inode, long owner, boolean flock) {
        if (holds(inode, owner, flock)) {
            unlock(op, inode, new FileLock(owner, 0, FileLock.UNLOCK, 0, Long.MAX_VALUE, flock));
        }
    }

    void unlock(Op op, long inode, FileLock lock) {
        if (!holds(inode, lock.owner(), lock.flock())) {
            return;
        }
        metadata.setLock(op, inode, lock, false);
        record(inode, lock);
        wake(inode);
    }

    void lock(Op op, long inode, FileLock lock, boolean wait, Cancellation cancel) {
        if (wait) {
            await(op, inode, lock, cancel);
        } else if (refused(op, inode, lock, false)) {
            throw new ErrnoException(Errno.EAGAIN);
        }
        record(inode, lock);
        coherence.awaitFresh();
    }

    /** As on Linux, an flock that cannot be converted at once is given up first. */
    private boolean refused(Op op, long inode, FileLock lock, boolean waiting) {
        boolean refused = metadata.setLock(op, inode, lock, waiting) != null;
        if (refused && lock.flock() && granted.remove(new Owner(inode, lock.owner(), true)) != null) {
            wake(inode);
        }
        return refused;
    }

    private void await(Op op, long inode, FileLock lock, Cancellation cancel) {
        Semaphore signal = new Semaphore(0);
        waiters.compute(inode, (key, set) -> {
            Set<Semaphore> all = set == null ? ConcurrentHashMap.newKeySet() : set;
            all.add(signal);
            return all;
        });
        try {
            if (refused(op, inode, lock, true)) {
                awaitGrant(inode, lock, cancel, signal);
            }
        } finally {
            waiters.computeIfPresent(inode, (key, set) -> {
                set.remove(signal);
                return set.isEmpty() ? null : set;
            });
        }
    }

    private void awaitGrant(long inode, FileLock lock, Cancellation cancel, Semaphore signal) {
        coherence.lockWaiters(1);
        boolean over = false;
        try {
            cancel.onCancel(signal::release);
            do {
                signal.tryAcquire(RETRY_MILLIS, TimeUnit.MILLISECONDS);
                if (cancel.cancelled()) {
                    throw new ErrnoException(Errno.EINTR);
                }
                signal.drainPermits();
            } while (refused(Op.NONE, inode, lock, true));
            over = true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted", e);
        } finally {
            coherence.lockWaiters(-1);
            if (!over) {
                metadata.stopWaiting(inode, lock.owner());
            }
        }
    }

    /** A lock of the inode was given up, here or elsewhere. */
    void wake(long inode) {
        Set<Semaphore> all = waiters.get(inode);
        if (all != null) {
            all.forEach(Semaphore::release);
        }
    }

    private void record(long inode, FileLock lock) {
        granted.compute(new Owner(inode, lock.owner(), lock.flock()), (key, ranges) -> {
            LockRanges all = ranges == null ? new LockRanges() : ranges;
            all.set(lock);
            return all.isEmpty() ? null : all;
        });
    }

    /** Tells the database again what was granted here: it lost commits, or the session is a new one. */
    void reassert() {
        granted.forEach((owner, ranges) -> {
            for (FileLock lock : ranges.all()) {
                if (!reassert(owner.inode, lock)) {
                    LOG.warn("a lock was lost: inode={} first={} last={}", owner.inode, lock.start(), lock.end());
                }
            }
        });
    }

    private boolean reassert(long inode, FileLock lock) {
        try {
            return metadata.setLock(Op.NONE, inode, lock, false) == null;
        } catch (ErrnoException e) {
            LOG.warn("a lock was not asserted again: inode={} errno={} {}", inode, e.errno(), e.getMessage());
            return true;
        }
    }

    /** The ranges of one owner on one inode; guarded by the map's bin, read through copies. */
    private static final class LockRanges {
        private volatile List<FileLock> locks = List.of();

        void set(FileLock lock) {
            List<FileLock> next = new ArrayList<>();
            for (FileLock old : locks) {
                if (old.start() < lock.start()) {
                    next.add(part(old, old.start(), Math.min(old.end(), lock.start() - 1)));
                }
                if (old.end() > lock.end()) {
                    next.add(part(old, Math.max(old.start(), lock.end() + 1), old.end()));
                }
            }
            if (lock.type() != FileLock.UNLOCK) {
                next.add(lock);
            }
            locks = next;
        }

        private static FileLock part(FileLock lock, long start, long end) {
            return new FileLock(lock.owner(), lock.pid(), lock.type(), start, end, lock.flock());
        }

        boolean isEmpty() {
            return locks.isEmpty();
        }

        List<FileLock> all() {
            return locks;
        }
    }
}
