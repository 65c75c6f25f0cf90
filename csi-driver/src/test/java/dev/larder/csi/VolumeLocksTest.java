package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class VolumeLocksTest {
    @Test
    void aSecondCallForOneVolumeIsAbortedAndThatForAnotherIsNot() throws Exception {
        VolumeLocks<String> locks = new VolumeLocks<>(Duration.ofMillis(50));
        CountDownLatch holds = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<Boolean> first = executor.submit(() -> locks.with("a", "NodeStageVolume", () -> {
                holds.countDown();
                return await(free);
            }));
            assertTrue(holds.await(60, TimeUnit.SECONDS));
            CsiException refused =
                    assertThrows(CsiException.class, () -> locks.with("a", "NodeUnstageVolume", () -> true));
            assertEquals(Status.Code.ABORTED, refused.code());
            assertTrue(refused.getMessage().contains("NodeStageVolume"), refused.getMessage());
            assertTrue(locks.with("b", "NodeStageVolume", () -> true));
            free.countDown();
            assertTrue(first.get(60, TimeUnit.SECONDS));
        }
        assertTrue(locks.with("a", "NodeUnstageVolume", () -> true));
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
