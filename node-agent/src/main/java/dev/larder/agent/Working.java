package dev.larder.agent;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs what takes long and says nothing, and lets the asker know now and then that it goes on. */
final class Working {
    private static final Duration REPORT = Duration.ofMillis(500);

    private Working() {}

    /**
     * @param report called about twice a second from the calling thread
     * @throws RuntimeException what the work, or the report, throws; the work goes on then
     */
    static void run(Runnable work, Runnable report) {
        FutureTask<Void> task = new FutureTask<>(work, null);
        Thread.ofVirtual().name("control-work").start(task);
        while (true) {
            try {
                task.get(REPORT.toMillis(), TimeUnit.MILLISECONDS);
                return;
            } catch (TimeoutException e) {
                report.run();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException failure
                        ? failure
                        : new IllegalStateException(e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }
}
