package dev.larder.agent.fuse;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that delivers notifications in order. When its queue is full all of it is replaced by one "drop
 * everything": nobody ever waits to enqueue.
 */
final class Notifier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);
    private static final int CAPACITY = 4096;
    private static final int CLOSE_MILLIS = 2000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Queue<Runnable> queue = new ArrayDeque<>();
    private final Runnable dropEverything;
    private final Thread thread;
    private boolean delivering;
    private boolean closed;

    Notifier(String name, Runnable dropEverything) {
        this.dropEverything = dropEverything;
        this.thread = Thread.ofPlatform().daemon().name(name).start(this::deliver);
    }

    void enqueue(Runnable notification) {
        lock.lock();
        try {
            if (queue.size() >= CAPACITY) {
                queue.clear();
                queue.add(dropEverything);
                LOG.warn("notification queue full entries={} action=drop-all-kernel-caches", CAPACITY);
            } else {
                queue.add(notification);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void deliver() {
        Runnable next = next();
        while (next != null) {
            try {
                next.run();
            } catch (RuntimeException e) {
                LOG.error("notification failed", e);
            }
            next = next();
        }
    }

    private Runnable next() {
        lock.lock();
        try {
            delivering = false;
            changed.signalAll();
            while (queue.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            delivering = !closed;
            return closed ? null : queue.poll();
        } finally {
            lock.unlock();
        }
    }

    boolean awaitDelivered(long deadlineNanos) {
        lock.lock();
        try {
            while (!queue.isEmpty() || delivering) {
                long left = deadlineNanos - System.nanoTime();
                if (left <= 0 || closed) {
                    return false;
                }
                if (changed.awaitNanos(left) <= 0 && (delivering || !queue.isEmpty())) {
                    return false;
                }
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** A thread that the kernel holds in a notification is left behind: it ends when the mount does. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            if (!thread.join(java.time.Duration.ofMillis(CLOSE_MILLIS))) {
                LOG.warn("notifier still in the kernel name={} waited_ms={}", thread.getName(), CLOSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
