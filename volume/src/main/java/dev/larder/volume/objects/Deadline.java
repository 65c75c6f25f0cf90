package dev.larder.volume.objects;

import java.time.Duration;

/** When a transfer with all its retries and waits must have ended. */
final class Deadline {
    private final Duration allowed;
    private final long endNanos;

    private Deadline(Duration allowed) {
        this.allowed = allowed;
        this.endNanos = System.nanoTime() + allowed.toNanos();
    }

    static Deadline after(Duration allowed) {
        return new Deadline(allowed);
    }

    long leftNanos() {
        return Math.max(0, endNanos - System.nanoTime());
    }

    Duration left() {
        return Duration.ofNanos(leftNanos());
    }

    StoreTimeoutException passed(String what) {
        return new StoreTimeoutException(what + " did not end within " + allowed.toMillis()
                + " ms: the object store is slow or away; the transfer may be tried again");
    }
}
