package dev.larder.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs numbered operations on some threads, each with a run of its own, and counts operations a second. */
final class Workers {
    @FunctionalInterface
    interface Operation {
        void run(int number) throws IOException;
    }

    private Workers() {}

    static double rate(Target target, int threads, int operations, Operation operation) throws IOException {
        return target.measure(operations, () -> rate(threads, operations, operation));
    }

    private static double rate(int threads, int operations, Operation operation) throws IOException {
        List<Future<?>> running = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            long start = System.nanoTime();
            for (int thread = 0; thread < threads; thread++) {
                int from = (int) ((long) operations * thread / threads);
                int to = (int) ((long) operations * (thread + 1) / threads);
                running.add(executor.submit(() -> {
                    for (int number = from; number < to; number++) {
                        operation.run(number);
                    }
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
            return operations / Target.seconds(start);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
