package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileTime;
import dev.larder.volume.engine.OpenInode.Pending;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Counts the volume's dirty bytes, makes writers wait beyond a limit, and keeps what each inode has pending. */
final class Dirtiness {
    private final Quota quota;
    private final ContentOptions options;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long total;

    Dirtiness(Quota quota, ContentOptions options) {
        this.quota = quota;
        this.options = options;
    }

    /** More is dirty than should wait for its age. */
    boolean isCrowded() {
        lock.lock();
        try {
            return total > options.dirtyLimitBytes() / 2;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there is room for more dirty bytes; without locks. */
    void awaitRoom() {
        lock.lock();
        try {
            long left = options.patience().toNanos();
            while (total > options.dirtyLimitBytes()) {
                if (left <= 0) {
                    throw new ErrnoException(
                            Errno.EIO,
                            total + " bytes wait to be uploaded and the store took none within " + options.patience());
                }
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while waiting for uploads", e);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for dirty bytes to become more than should wait, at most so long. */
    void awaitCrowd(long millis) throws InterruptedException {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (left > 0 && total <= options.dirtyLimitBytes() / 2) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Bytes up to {@code end} were written; 0 = the size does not grow by it. The inode's lock is held. */
    void wrote(OpenInode in, long end, FileTime mtime, boolean killSuidgid) {
        Pending before = in.pending;
        if (before == null) {
            in.dirtySince = System.nanoTime();
            in.pending = new Pending(end, mtime, killSuidgid, in.attributes.generation());
        } else {
            in.pending = new Pending(
                    Math.max(before.size(), end), mtime, before.killSuidgid() || killSuidgid, before.generation());
        }
        count(in);
    }

    /** A predecessor left dirty bytes. The inode's lock is held. */
    void recovered(OpenInode in, long end, FileTime mtime) {
        in.dirtySince = System.nanoTime() - options.flushAge().toNanos();
        in.pending = new Pending(end, mtime, false, -1);
        count(in);
    }

    /** After a commit or a cut: what the inode still has dirty. The inode's lock is held. */
    void settle(OpenInode in) {
        count(in);
        if (in.countedDirty == 0) {
            in.pending = null;
            in.appendOnly = false;
            in.runStart = 0;
            in.runEnd = 0;
            in.retryAt = 0;
            if (in.reserved > 0) {
                long grown = Math.max(0, in.attributes.allocated() - in.reservedFrom);
                quota.shrink(Math.max(0, in.reserved - grown), 0);
                in.reserved = 0;
            }
        } else {
            in.dirtySince = System.nanoTime();
        }
    }

    private void count(OpenInode in) {
        long now = in.file().dirtyBytes();
        long change = now - in.countedDirty;
        in.countedDirty = now;
        if (change == 0) {
            return;
        }
        lock.lock();
        try {
            total += change;
            if (change < 0 || total > options.dirtyLimitBytes() / 2) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }
}
