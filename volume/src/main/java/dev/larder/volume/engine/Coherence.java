package dev.larder.volume.engine;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Change;
import dev.larder.volume.metadata.Metadata.FeedPage;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what this mount knows true by reading the change feed. A poller reads it every interval; an open joins a read
 * that begins after it, whoever runs it. What a read tells is applied to the caches before the read counts as done, and
 * handed to {@link Notifications} for the kernel.
 */
final class Coherence implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Coherence.class);
    /** Each read ends by the metadata's own deadline, which may be set; this is for a thread that died. */
    private static final Duration READ_LIMIT = Duration.ofHours(1);

    private static final long BUSY_MILLIS = 20;
    private static final long BUSY_READS = 25;
    private static final long LOCK_WAIT_MILLIS = 10;
    private static final long SILENCE_CHECK_MILLIS = 100;
    private static final long CLOSE_MILLIS = 5_000;

    private final Metadata metadata;
    private final Listener listener;
    private final Notifications notifications;
    private final long intervalMillis;
    private final long silenceNanos;
    private final long idleNanos;
    private final long restMillis;
    private final boolean inherited;
    private final Shared<UUID> reads = new Shared<>(this::read, READ_LIMIT);
    private final AtomicInteger lockWaiters = new AtomicInteger();
    private final Semaphore wake = new Semaphore(0);
    private final Thread poller;
    private final Thread watcher;
    private final CountDownLatch stop = new CountDownLatch(1);
    private volatile boolean closed;
    private volatile boolean alive;
    private volatile long lastReadNanos;
    private volatile long usedNanos = System.nanoTime();
    private volatile boolean resting;
    private volatile boolean waking;
    private volatile int otherSessions;
    private volatile long busyReads;
    private volatile long lagNanos;
    private volatile long lostNanos = System.nanoTime() - Long.MAX_VALUE / 2;
    private String cursor;
    private UUID session;

    /** What the rest of the mount does about changes; called from whoever reads the feed. */
    interface Listener {
        void change(Change change);

        /** Nothing that is known here can be trusted. */
        void lost();

        /** The database's incarnation and the other live sessions, with every read. @return the incarnation is new */
        boolean seen(UUID incarnation, int otherSessions);

        /** Nobody has anything open here, and nothing waits to be committed. */
        boolean isIdle();

        /** Nothing may be known until it is {@code silent(false)}; the feed is still read, now and then. */
        void resting();

        /** Now and then while it rests: memory that is kept for the next use can be given up. */
        void rested();

        /** Nothing was heard for longer than the limit: nothing may be known until it is {@code alive} again. */
        void silent(boolean silent);
    }

    Coherence(Metadata metadata, Listener listener, Notifications notifications, Session.Times times) {
        this.metadata = metadata;
        this.listener = listener;
        this.notifications = notifications;
        this.intervalMillis = Math.max(1, times.feedInterval().toMillis());
        this.silenceNanos = times.lease().toNanos();
        this.idleNanos = times.idleAfter().toNanos();
        this.restMillis = Math.max(1, times.lease().toMillis() / 2);
        this.inherited = times.inherited();
        this.poller = Thread.ofPlatform().daemon().name("larder-feed").unstarted(this::poll);
        this.watcher = Thread.ofPlatform().daemon().name("larder-silence").unstarted(this::watch);
    }

    /** The first read, so that a mount begins with a cursor; then the poller. */
    void start() {
        reads.join();
        poller.start();
        watcher.start();
    }

    /**
     * When it returns, everything that other sessions committed before the call is known here, and the kernel's
     * attributes of what changed are dropped.
     */
    void awaitFresh() {
        if (!sole()) {
            metadata.requireAnswering();
            reads.join();
        }
    }

    /**
     * Somebody uses the mount. After a rest it returns when everything is known that others changed meanwhile.
     *
     * @throws ErrnoException ETIMEDOUT, when the database does not answer
     */
    void used() {
        if (idleNanos == 0) {
            return;
        }
        usedNanos = System.nanoTime();
        if (resting) {
            wake();
        }
    }

    private void wake() {
        waking = true;
        reads.join();
        wake.release();
    }

    /** After something else has asked the database: one connection does for both. */
    void readWhileResting() {
        if (resting) {
            wake.release();
        }
    }

    /** Nobody has used the mount for long: neither it nor the kernel knows anything, and the feed is read now and then. */
    boolean resting() {
        return resting;
    }

    /** No other session can have changed anything; {@link Metadata#SOLE}. Written in the other order by a read. */
    private boolean sole() {
        long began = lastReadNanos;
        return alive && otherSessions == 0 && System.nanoTime() - began < Metadata.SOLE.toNanos();
    }

    /** The feed has been heard of within the limit. */
    boolean alive() {
        return alive && System.nanoTime() - lastReadNanos < silenceNanos;
    }

    /** Within the time the feed was lost, or silent: the kernel may have attributes that nobody dropped one by one. */
    boolean lostWithin(long millis) {
        return System.nanoTime() - lostNanos < TimeUnit.MILLISECONDS.toNanos(millis);
    }

    int otherSessions() {
        return otherSessions;
    }

    long lagMillis() {
        return TimeUnit.NANOSECONDS.toMillis(lagNanos);
    }

    /** While somebody here waits for a lock the feed is read more often. */
    void lockWaiters(int delta) {
        if (lockWaiters.addAndGet(delta) > 0) {
            wake.release();
        }
    }

    private void poll() {
        boolean failing = false;
        while (!closed) {
            try {
                if (sleep() || System.nanoTime() - lastReadNanos >= TimeUnit.MILLISECONDS.toNanos(pauseMillis())) {
                    reads.join();
                }
                failing = false;
                restWhenIdle();
            } catch (ErrnoException e) {
                if (!failing) {
                    LOG.warn("the change feed cannot be read: errno={} {}", e.errno(), e.getMessage());
                }
                failing = true;
            }
        }
    }

    /**
     * The kernel's caches are dropped, so that whoever comes is noticed by {@link #used}. One who came meanwhile either
     * finds that this rests, or is found here.
     */
    private void restWhenIdle() {
        if (resting) {
            listener.rested();
            return;
        }
        if (idleNanos == 0 || !alive || busyReads > 0 || lockWaiters.get() > 0 || !isUnused() || !listener.isIdle()) {
            return;
        }
        synchronized (this) {
            waking = false;
            resting = true;
            alive = false;
            listener.resting();
        }
        notifications.all();
        if (isUnused()) {
            listener.rested();
        } else {
            wake();
        }
    }

    private boolean isUnused() {
        return System.nanoTime() - usedNanos >= idleNanos;
    }

    /** On a thread of its own: a read may wait for the database for long. */
    private void watch() {
        try {
            while (!stop.await(Math.min(intervalMillis, SILENCE_CHECK_MILLIS), TimeUnit.MILLISECONDS)) {
                noticeSilence();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return woken before the time was over */
    private boolean sleep() {
        try {
            boolean woken = wake.tryAcquire(pauseMillis(), TimeUnit.MILLISECONDS);
            wake.drainPermits();
            return woken;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            closed = true;
            return true;
        }
    }

    private long pauseMillis() {
        if (lockWaiters.get() > 0) {
            return Math.min(LOCK_WAIT_MILLIS, intervalMillis);
        }
        if (resting) {
            return restMillis;
        }
        return busyReads > 0 ? Math.min(BUSY_MILLIS, intervalMillis) : intervalMillis;
    }

    private synchronized void noticeSilence() {
        if (alive && System.nanoTime() - lastReadNanos >= silenceNanos) {
            alive = false;
            lostNanos = System.nanoTime();
            LOG.warn("the change feed is silent: caches are dropped until it is read again");
            listener.silent(true);
            notifications.all();
        }
    }

    /** One read of the feed, by one thread at a time. @return the database's incarnation */
    private UUID read() {
        long began = System.nanoTime();
        UUID asking = metadata.session();
        if (!asking.equals(session)) {
            cursor = null;
        }
        boolean first = cursor == null;
        FeedPage page = metadata.feed(cursor);
        boolean reborn = listener.seen(page.incarnation(), page.otherSessions());
        if (first || page.lost() || reborn) {
            lostNanos = session == null && !inherited ? lostNanos : began;
            listener.lost();
            notifications.all();
        }
        Set<Long> attributes = new LinkedHashSet<>();
        page.changes().forEach(change -> apply(change, attributes));
        attributes.forEach(notifications::attributes);
        cursor = page.cursor();
        session = asking;
        otherSessions = page.otherSessions();
        busyReads = page.changes().isEmpty() ? Math.max(0, busyReads - 1) : BUSY_READS;
        lagNanos = System.nanoTime() - began;
        heard(began);
        return page.incarnation();
    }

    private synchronized void heard(long began) {
        lastReadNanos = began;
        if (!alive && (waking || !resting)) {
            alive = true;
            resting = false;
            listener.silent(false);
        }
    }

    /** @param attributes inodes whose attributes the kernel is to drop before the read counts as done */
    private void apply(Change change, Set<Long> attributes) {
        listener.change(change);
        switch (change.kind()) {
            case ENTRY, UNLINKED -> {
                attributes.add(change.inode());
                attributes.add(change.parent());
                notifications.entry(change.parent(), change.name());
            }
            case ATTRIBUTES -> attributes.add(change.inode());
            case CONTENT -> notifications.content(change.inode(), change.offset(), change.length());
            case UNLOCKED -> {}
        }
    }

    @Override
    public void close() {
        closed = true;
        stop.countDown();
        wake.release();
        try {
            watcher.join(CLOSE_MILLIS);
            poller.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
