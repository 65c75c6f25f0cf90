package dev.larder.volume.objects;

import java.util.Arrays;

/** The 95th percentile of the last GETs' durations, and from it the moment when a GET counts as slow. */
final class LatencyWindow {
    private static final int SAMPLES = 128;
    private static final int RECOMPUTE_EVERY = 16;
    private static final int ENOUGH = 32;
    private static final int SLOW_FACTOR = 3;
    private static final long MIN_SLOW_NANOS = 20_000_000;
    /** One hedge for so many GETs: a store that is slow as a whole is not asked twice for everything. */
    private static final int GETS_PER_HEDGE = 20;

    private final long[] samples = new long[SAMPLES];
    private long count;
    private long hedges;
    private long slowNanos = Long.MAX_VALUE;

    synchronized void record(long nanos) {
        samples[(int) (count++ % SAMPLES)] = nanos;
        if (count >= ENOUGH && count % RECOMPUTE_EVERY == 0) {
            long[] sorted = Arrays.copyOf(samples, (int) Math.min(count, SAMPLES));
            Arrays.sort(sorted);
            slowNanos = Math.max(MIN_SLOW_NANOS, SLOW_FACTOR * sorted[sorted.length * 95 / 100]);
        }
    }

    /** Never, while too little is known. */
    synchronized long slowNanos() {
        return slowNanos;
    }

    synchronized boolean takeHedge() {
        boolean allowed = (hedges + 1) * GETS_PER_HEDGE <= count;
        hedges += allowed ? 1 : 0;
        return allowed;
    }
}
