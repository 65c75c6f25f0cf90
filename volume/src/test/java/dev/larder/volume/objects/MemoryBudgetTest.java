package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final MemoryBudget budget = new MemoryBudget(100);

    @Test
    void countsWhatIsHeld() throws Exception {
        MemoryBudget.Grant first = budget.acquire(60, LONG);
        assertNull(budget.tryAcquire(41));
        try (MemoryBudget.Grant second = budget.tryAcquire(40)) {
            assertEquals(100, budget.usedBytes());
            assertEquals(40, second.bytes());
        }
        first.close();
        first.close();
        assertEquals(0, budget.usedBytes(), "closing twice counts once");
        assertEquals(100, budget.peakBytes());
    }

    @Test
    void givesUpAtTheDeadlineAndSaysWhy() throws Exception {
        try (MemoryBudget.Grant all = budget.acquire(100, LONG)) {
            var failure = assertThrows(StoreTimeoutException.class, () -> budget.acquire(1, Duration.ofMillis(20)));
            assertTrue(failure.getMessage().contains("raise the memory budget"), failure.getMessage());
            assertEquals(100, all.bytes());
        }
        assertEquals(0, budget.waiting());
        assertThrows(IllegalArgumentException.class, () -> budget.acquire(101, LONG));
    }

    @Test
    void firstComeFirstServed() throws Exception {
        List<Integer> order = new CopyOnWriteArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            MemoryBudget.Grant most = budget.acquire(90, LONG);
            var large = CompletableFuture.runAsync(() -> take(95, order), threads);
            awaitWaiting(1);
            var small = CompletableFuture.runAsync(() -> take(10, order), threads);
            awaitWaiting(2);
            assertNull(budget.tryAcquire(10), "not before those who wait");
            most.close();
            CompletableFuture.allOf(large, small).get(30, TimeUnit.SECONDS);
        }
        assertEquals(95, order.getFirst());
        assertEquals(0, budget.usedBytes());
    }

    private void take(int bytes, List<Integer> order) {
        try (MemoryBudget.Grant grant = budget.acquire(bytes, LONG)) {
            synchronized (order) {
                order.add((int) grant.bytes());
            }
        } catch (StoreTimeoutException | InterruptedIOException late) {
            throw new AssertionError(late);
        }
    }

    private void awaitWaiting(int count) throws InterruptedException {
        long end = System.nanoTime() + LONG.toNanos();
        while (budget.waiting() < count) {
            assertTrue(System.nanoTime() < end, "nobody waits");
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }
}
