package dev.larder.cli;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for what other processes do, with a deadline. */
final class Waiting {
    private static final Duration PAUSE = Duration.ofMillis(20);

    private Waiting() {}

    static void pause() {
        try {
            Thread.sleep(PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("waiting", "interrupted", null);
        }
    }

    /** @return whether the condition holds before the deadline */
    static boolean until(Duration deadline, BooleanSupplier condition) {
        long end = System.nanoTime() + deadline.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            pause();
        }
        return true;
    }
}
