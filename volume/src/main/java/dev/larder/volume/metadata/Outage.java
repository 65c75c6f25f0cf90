package dev.larder.volume.metadata;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How long the database has not answered. Operations wait for it from the beginning of its silence, not each from its
 * own: however many statements a user's operations take one after another, all of them end by one deadline. After it one
 * statement a second is sent, to find out whether the database is back; all others fail at once. Thread-safe.
 */
final class Outage {
    private static final long PROBE_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long NONE = 0;

    private final long patienceNs;
    private final AtomicLong beganNs = new AtomicLong(NONE);
    private final AtomicLong probedNs = new AtomicLong(System.nanoTime());
    private volatile long answeredNs = System.nanoTime();

    Outage(Duration patience) {
        this.patienceNs = patience.toNanos();
    }

    void answered() {
        answeredNs = System.nanoTime();
        if (beganNs.get() != NONE) {
            beganNs.set(NONE);
        }
    }

    /** An attempt that began then was not answered. The pause before the next probe begins now. */
    void failed(long attemptBeganNs) {
        probedNs.set(System.nanoTime());
        if (answeredNs - attemptBeganNs < 0) {
            beganNs.compareAndSet(NONE, attemptBeganNs == NONE ? 1 : attemptBeganNs);
        }
    }

    /** Until operations give up, {@link Long#MAX_VALUE} while the database answers; negative when that is over. */
    long leftNs() {
        long began = beganNs.get();
        return began == NONE ? Long.MAX_VALUE : began + patienceNs - System.nanoTime();
    }

    /** Whether the caller is the one to ask again. */
    boolean takeProbe() {
        long before = probedNs.get();
        long now = System.nanoTime();
        return now - before >= PROBE_INTERVAL_NS && probedNs.compareAndSet(before, now);
    }

    /** Since the last answer. */
    Duration silence() {
        return Duration.ofNanos(Math.max(0, System.nanoTime() - answeredNs));
    }
}
