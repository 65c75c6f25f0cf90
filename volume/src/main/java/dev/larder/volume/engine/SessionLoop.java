package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the session alive and bounds what a crash of the database may lose: a heartbeat every third of the lease, and a
 * synchronous flush every 50 ms while something is not flushed. Two threads: a slow flush never costs the lease.
 */
final class SessionLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionLoop.class);
    private static final long CLOSE_MILLIS = 5_000;
    private static final long RETRY_MILLIS = 500;

    private final Metadata metadata;
    private final Unflushed unflushed;
    private final Consumer<Heartbeat> answered;
    private final Runnable fenced;
    private final long heartbeatMillis;
    private final long flushMillis;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Semaphore wake = new Semaphore(0);
    private final Thread heartbeats;
    private final Thread flushes;

    /** @param fenced starts a new session in place of the one that is no longer */
    SessionLoop(
            Metadata metadata,
            Unflushed unflushed,
            Consumer<Heartbeat> answered,
            Runnable fenced,
            Duration lease,
            Duration flushInterval) {
        this.metadata = metadata;
        this.unflushed = unflushed;
        this.answered = answered;
        this.fenced = fenced;
        this.heartbeatMillis = Math.max(1, lease.toMillis() / 3);
        this.flushMillis = flushInterval.toMillis();
        this.heartbeats = Thread.ofPlatform().daemon().name("larder-heartbeat").unstarted(this::beat);
        this.flushes = Thread.ofPlatform().daemon().name("larder-flush").unstarted(this::flush);
    }

    void start() {
        heartbeat();
        heartbeats.start();
        flushes.start();
    }

    Heartbeat heartbeat() {
        Heartbeat heartbeat = metadata.heartbeat();
        answered.accept(heartbeat);
        return heartbeat;
    }

    private void beat() {
        long pause = heartbeatMillis;
        boolean failing = false;
        while (!woken(pause)) {
            try {
                heartbeat();
                pause = heartbeatMillis;
                failing = false;
            } catch (ErrnoException e) {
                pause = Math.min(RETRY_MILLIS, heartbeatMillis);
                if (!failing) {
                    LOG.warn("heartbeat failed: session={} errno={} {}", metadata.session(), e.errno(), e.getMessage());
                }
                failing = true;
                recover(e);
            }
        }
    }

    private void recover(ErrnoException e) {
        if (e.errno() != Errno.ESTALE) {
            return;
        }
        try {
            fenced.run();
        } catch (ErrnoException again) {
            LOG.warn("no new session yet: errno={} {}", again.errno(), again.getMessage());
        }
    }

    private void flush() {
        while (!stopped(flushMillis)) {
            try {
                if (!unflushed.isEmpty()) {
                    metadata.flush();
                }
            } catch (ErrnoException e) {
                LOG.debug("background flush failed: errno={} {}", e.errno(), e.getMessage());
            }
        }
    }

    /** The next heartbeat is due now: an operation was told that the session is no longer. */
    void wake() {
        wake.release();
    }

    /** @return true = stop */
    private boolean woken(long pauseMillis) {
        try {
            wake.tryAcquire(pauseMillis, TimeUnit.MILLISECONDS);
            wake.drainPermits();
            return stop.getCount() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private boolean stopped(long pauseMillis) {
        try {
            return stop.await(pauseMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    @Override
    public void close() {
        stop.countDown();
        wake.release();
        try {
            heartbeats.join(CLOSE_MILLIS);
            flushes.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
