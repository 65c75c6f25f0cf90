package dev.larder.operator;

import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** When to try again what failed: each time later, up to a limit. */
final class Backoff {
    private static final Duration FIRST = Duration.ofSeconds(2);
    static final Duration MOST = Duration.ofMinutes(2);
    private static final int DOUBLINGS = 6;

    private final Map<ResourceID, Integer> failures = new ConcurrentHashMap<>();

    Duration failed(ResourceID resource) {
        int times = failures.merge(resource, 1, Integer::sum);
        Duration wait = FIRST.multipliedBy(1L << Math.min(times - 1, DOUBLINGS));
        return wait.compareTo(MOST) > 0 ? MOST : wait;
    }

    void succeeded(ResourceID resource) {
        failures.remove(resource);
    }
}
