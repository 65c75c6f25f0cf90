package dev.larder.csi;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that carry out calls. Every call has a deadline, so that one becomes free in time. */
public final class CallExecutor {
    /** More than the callers have: each connection has at most {@link UnixServer#MAX_CALLS} calls. */
    private static final int MOST = 2 * UnixServer.MAX_CALLS;

    private static final Duration IDLE = Duration.ofSeconds(30);

    private CallExecutor() {}

    /** Threads that are free are taken before new ones are made: a burst leaves no more than it needed. */
    public static ExecutorService create() {
        AtomicInteger number = new AtomicInteger();
        return new ThreadPoolExecutor(0, MOST, IDLE.toSeconds(), TimeUnit.SECONDS, new SynchronousQueue<>(), work -> {
            Thread thread = new Thread(work, "call-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Whether a call that came now would be begun within the patience. */
    public static boolean isResponsive(ExecutorService executor, Duration patience) {
        Future<?> probe;
        try {
            probe = executor.submit(() -> {});
        } catch (RejectedExecutionException e) {
            return false;
        }
        try {
            probe.get(patience.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            probe.cancel(false);
            return false;
        } catch (ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
