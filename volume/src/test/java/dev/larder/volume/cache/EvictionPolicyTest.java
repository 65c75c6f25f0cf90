package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.cache.EvictionPolicy.Slice;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class EvictionPolicyTest {
    private static final int CAPACITY = 500;
    private static final int ACCESSES = 100_000;

    @Test
    void tinyLfuBeatsLruWhenScansPassThrough() {
        double lru = hitRatio(new LruPolicy());
        double tinyLfu = hitRatio(new TinyLfuPolicy());
        assertTrue(tinyLfu > lru + 0.1, "W-TinyLFU " + tinyLfu + ", LRU " + lru);
    }

    /** Half the accesses go to 400 hot slices, half scan slices that never come again. */
    private static double hitRatio(EvictionPolicy policy) {
        Random random = new Random(1);
        long scan = 1_000_000;
        int hits = 0;
        for (int i = 0; i < ACCESSES; i++) {
            Slice slice = random.nextBoolean() ? new Slice(random.nextInt(400), 0) : new Slice(scan++, 0);
            hits += policy.contains(slice) ? 1 : 0;
            policy.touched(slice);
            while (policy.size() > CAPACITY) {
                policy.victim();
            }
        }
        return (double) hits / ACCESSES;
    }
}
