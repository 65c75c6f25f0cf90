package dev.larder.volume.engine;

import dev.larder.volume.FileName;
import dev.larder.volume.Kernel;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the kernel what changed elsewhere; the one queue between the feed and the kernel. Dropping attributes never
 * waits in the kernel: it is done when the call returns, and opens rely on it. Dropping names and pages may wait for a
 * directory's or a page's lock, which may be held over a request that this process is to answer: a few threads do it,
 * made when they are needed and ended when nothing has come for a while,
 * one inode by one thread at a time, so that a directory whose create waits holds up no other directory, and no request
 * ever waits for one of them. What waits is bounded: beyond that, everything is dropped instead.
 */
final class Notifications implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Notifications.class);
    private static final int THREADS = 8;
    private static final int MAX_WAITING = 65_536;
    private static final long CLOSE_MILLIS = 2_000;
    private static final long KEEP_NANOS = 5_000_000_000L;
    /** The lane of what concerns no inode. */
    private static final long EVERYTHING = 0;

    private final Kernel kernel;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<Long, Queue<Runnable>> lanes = new LinkedHashMap<>();
    private final Set<Long> busy = new HashSet<>();
    private final Set<Thread> threads = new HashSet<>();
    private int free;
    private int waiting;
    private boolean closed;

    Notifications(Kernel kernel) {
        this.kernel = kernel;
    }

    /** Done when it returns. */
    void attributes(long inode) {
        kernel.invalidateInode(inode, -1, 0);
    }

    /** Pages from {@code offset} on; the attributes when it returns. */
    void content(long inode, long offset, long length) {
        attributes(inode);
        enqueue(inode, () -> kernel.invalidateInode(inode, offset, length));
    }

    /** @param name null = any name of the directory */
    void entry(long parent, FileName name) {
        if (name == null) {
            all();
        } else {
            enqueue(parent, () -> kernel.invalidateEntry(parent, name));
        }
    }

    void all() {
        lock.lock();
        try {
            lanes.clear();
            waiting = 0;
            enqueue(EVERYTHING, kernel::invalidateAll);
        } finally {
            lock.unlock();
        }
    }

    private void enqueue(long lane, Runnable notification) {
        lock.lock();
        try {
            if (waiting >= MAX_WAITING) {
                LOG.warn("{} notifications wait for the kernel: everything is dropped instead", waiting);
                all();
                return;
            }
            lanes.computeIfAbsent(lane, key -> new ArrayDeque<>()).add(notification);
            waiting++;
            if (lanes.size() > free && threads.size() < THREADS && !closed) {
                threads.add(Thread.ofPlatform().daemon().name("larder-notify").start(this::deliver));
            }
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    private void deliver() {
        Map.Entry<Long, Queue<Runnable>> lane = take();
        while (lane != null) {
            lane.getValue().forEach(Notifications::run);
            done(lane.getKey());
            lane = take();
        }
    }

    private static void run(Runnable notification) {
        try {
            notification.run();
        } catch (RuntimeException e) {
            LOG.warn("a notification to the kernel failed", e);
        }
    }

    /** @return all that waits for one inode, which is then this thread's; null = the thread ends */
    private Map.Entry<Long, Queue<Runnable>> take() {
        lock.lock();
        try {
            long left = KEEP_NANOS;
            while (!closed) {
                for (Map.Entry<Long, Queue<Runnable>> lane : lanes.entrySet()) {
                    if (busy.add(lane.getKey())) {
                        lanes.remove(lane.getKey());
                        waiting -= lane.getValue().size();
                        return lane;
                    }
                }
                if (left <= 0) {
                    break;
                }
                free++;
                try {
                    left = changed.awaitNanos(left);
                } finally {
                    free--;
                }
            }
            threads.remove(Thread.currentThread());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        return null;
    }

    private void done(long lane) {
        lock.lock();
        try {
            busy.remove(lane);
            if (lanes.containsKey(lane)) {
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** What still waits is dropped; a thread that the kernel holds ends when the mount does. */
    @Override
    public void close() {
        List<Thread> running;
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
            running = List.copyOf(threads);
        } finally {
            lock.unlock();
        }
        long deadline = System.nanoTime() + CLOSE_MILLIS * 1_000_000;
        try {
            for (Thread thread : running) {
                thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
