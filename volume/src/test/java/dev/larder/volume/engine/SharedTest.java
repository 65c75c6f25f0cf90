package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharedTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void manyShareTheRunThatBeginsAfterThem() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch inFirst = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        Shared<Integer> shared = new Shared<>(
                () -> {
                    int run = runs.incrementAndGet();
                    inFirst.countDown();
                    await(release);
                    return run;
                },
                LIMIT);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Integer> first = threads.submit(shared::join);
            await(inFirst);
            List<Future<Integer>> others = new ArrayList<>();
            CountDownLatch asked = new CountDownLatch(10);
            for (int i = 0; i < 10; i++) {
                others.add(threads.submit(() -> {
                    asked.countDown();
                    return shared.join();
                }));
            }
            await(asked);
            release.countDown();
            assertEquals(1, first.get(10, TimeUnit.SECONDS));
            for (Future<Integer> other : others) {
                assertTrue(other.get(10, TimeUnit.SECONDS) > 1);
            }
        }
    }

    @Test
    void aFailureIsTheCallersAnswer() {
        Shared<Integer> shared = new Shared<>(
                () -> {
                    throw new ErrnoException(Errno.ETIMEDOUT);
                },
                LIMIT);
        assertEquals(
                Errno.ETIMEDOUT,
                assertThrows(ErrnoException.class, shared::join).errno());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(10, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
