package dev.larder.volume.engine;

import dev.larder.volume.FileName;
import dev.larder.volume.Kernel;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the kernel what changed elsewhere, from two threads of its own. Dropping attributes never waits in the kernel,
 * and opens wait for it; dropping names and pages may wait for a directory's or a page's lock, which may be held by a
 * request that this process is to answer, so nothing waits for that. Queues are bounded: when one is full, everything is
 * dropped at once instead.
 */
final class Notifications implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Notifications.class);
    private static final int QUEUE = 65_536;
    private static final long CLOSE_MILLIS = 2_000;

    private final Kernel kernel;
    private final BlockingQueue<Runnable> fast = new ArrayBlockingQueue<>(QUEUE);
    private final BlockingQueue<Runnable> slow = new ArrayBlockingQueue<>(QUEUE);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition moved = lock.newCondition();
    private final Thread fastThread;
    private final Thread slowThread;
    private long queued;
    private long delivered;
    private volatile boolean closed;

    Notifications(Kernel kernel) {
        this.kernel = kernel;
        fastThread =
                Thread.ofPlatform().daemon().name("larder-notify-attributes").start(() -> deliver(fast));
        slowThread = Thread.ofPlatform().daemon().name("larder-notify-names").start(() -> deliver(slow));
    }

    void attributes(long inode) {
        fast(() -> kernel.invalidateInode(inode, -1, 0));
    }

    void content(long inode, long offset, long length) {
        attributes(inode);
        slow(() -> kernel.invalidateInode(inode, offset, length));
    }

    void entry(long parent, FileName name) {
        attributes(parent);
        if (name == null) {
            all();
        } else {
            slow(() -> kernel.invalidateEntry(parent, name));
        }
    }

    void all() {
        slow.clear();
        slow(kernel::invalidateAll);
    }

    /** Work that a change asks for and that nobody waits for. */
    void later(Runnable work) {
        slow(work);
    }

    /** Of the last notification that was queued. */
    long position() {
        lock.lock();
        try {
            return queued;
        } finally {
            lock.unlock();
        }
    }

    /** @return false = not delivered in time */
    boolean awaitAttributes(long position, Duration limit) {
        long left = limit.toNanos();
        lock.lock();
        try {
            while (delivered < position && left > 0) {
                left = moved.awaitNanos(left);
            }
            return delivered >= position;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void fast(Runnable notification) {
        lock.lock();
        try {
            if (fast.offer(this.counted(notification))) {
                queued++;
                return;
            }
        } finally {
            lock.unlock();
        }
        all();
    }

    private Runnable counted(Runnable notification) {
        return () -> {
            try {
                notification.run();
            } finally {
                delivered();
            }
        };
    }

    private void delivered() {
        lock.lock();
        try {
            delivered++;
            moved.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void slow(Runnable notification) {
        if (!slow.offer(notification)) {
            slow.clear();
            slow.add(kernel::invalidateAll);
        }
    }

    private void deliver(BlockingQueue<Runnable> queue) {
        while (!closed) {
            try {
                Runnable notification = queue.poll(1, TimeUnit.SECONDS);
                if (notification != null) {
                    notification.run();
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("a notification to the kernel failed", e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        fastThread.interrupt();
        slowThread.interrupt();
        try {
            fastThread.join(CLOSE_MILLIS);
            slowThread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
