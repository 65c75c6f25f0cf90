package dev.larder.volume.engine;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Pauses between attempts: doubling from 50 ms to 5 s, with jitter, up to a deadline. */
final class Backoff {
    private static final long FIRST_MILLIS = 50;
    private static final long LAST_MILLIS = 5_000;

    private final long deadline;
    private long pauseMillis = FIRST_MILLIS;

    Backoff(Duration bound) {
        this.deadline = System.nanoTime() + bound.toNanos();
    }

    /** @return false = the deadline has passed, or the thread was interrupted: no further attempt */
    boolean pause() {
        long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (leftMillis <= 0) {
            return false;
        }
        long jittered = pauseMillis / 2 + ThreadLocalRandom.current().nextLong(pauseMillis / 2 + 1);
        pauseMillis = Math.min(LAST_MILLIS, pauseMillis * 2);
        try {
            Thread.sleep(Math.min(jittered, leftMillis));
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
