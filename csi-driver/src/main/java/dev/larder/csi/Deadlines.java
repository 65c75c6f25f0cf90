package dev.larder.csi;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * System calls that a FUSE mount without a server may hold for ever: each is made by a thread of its own, which is left to
 * its fate when the time is over. It ends when an agent answers or the connection is aborted. There are at most so many.
 */
final class Deadlines implements AutoCloseable {
    private final ThreadPoolExecutor threads;

    Deadlines(int most) {
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(0, most, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), work -> {
            Thread thread = new Thread(work, "may-hang-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * @param what for the message, such as "unmount of /x"
     * @throws CsiException DEADLINE_EXCEEDED when it did not end in time: it may still happen. UNAVAILABLE when too many
     *     hang
     */
    <T> T call(String what, Duration patience, Callable<T> work) {
        Future<T> result = submit(what, work);
        try {
            return result.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new CsiException(
                    Status.Code.DEADLINE_EXCEEDED, what + " did not end within " + patience.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new IllegalStateException(what + " failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CsiException(Status.Code.UNAVAILABLE, what + " was given up: csi-node ends");
        }
    }

    private <T> Future<T> submit(String what, Callable<T> work) {
        try {
            return threads.submit(work);
        } catch (RejectedExecutionException e) {
            throw new CsiException(
                    Status.Code.UNAVAILABLE,
                    what + " was not begun: " + threads.getActiveCount() + " calls hang in mounts that nobody serves");
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
