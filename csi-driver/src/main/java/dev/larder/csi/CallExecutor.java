package dev.larder.csi;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that carry out calls. Every call has a deadline, so that one becomes free in time. */
public final class CallExecutor {
    private static final Duration IDLE = Duration.ofSeconds(30);

    private CallExecutor() {}

    /** @param threads as many calls at once; others wait, as long as their callers do, and {@link UnixServer} bounds them */
    public static ExecutorService of(int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                threads, threads, IDLE.toSeconds(), TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, "call-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    /** Whether a call that came now would be begun within the patience. */
    public static boolean isResponsive(ExecutorService executor, Duration patience) {
        Future<?> probe = executor.submit(() -> {});
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
