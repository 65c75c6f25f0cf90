package dev.larder.e2e.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program that uses a directory until a file appears, and tells what it saw: {@code LoadMain DIRECTORY STOP-FILE}. A line
 * of JSON each half second, the last one after everything was verified: rounds, errors, longestStallMillis, wrong (null or
 * what was not as written), final; and by kind of work. Needs nothing but the JDK, so that it runs in any pod.
 */
public final class LoadMain {
    private static final long REPORT_MILLIS = 500;
    private static final int MOST_MESSAGES = 5;

    private static volatile boolean stopped;

    private LoadMain() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path directory = Path.of(arguments[0]);
        Path stop = Path.of(arguments[1]);
        List<Worker> workers = new ArrayList<>();
        for (Map.Entry<String, Work> work : Works.in(directory).entrySet()) {
            workers.add(new Worker(work.getKey(), work.getValue()));
        }
        workers.forEach(worker -> worker.thread.start());
        while (!Files.exists(stop)) {
            System.out.println(report(workers, false));
            TimeUnit.MILLISECONDS.sleep(REPORT_MILLIS);
        }
        stopped = true;
        for (Worker worker : workers) {
            worker.thread.join();
        }
        System.out.println(report(workers, true));
    }

    private static String report(List<Worker> workers, boolean last) {
        StringBuilder line = new StringBuilder("{");
        long rounds = 0;
        long errors = 0;
        long stall = 0;
        String wrong = null;
        for (Worker worker : workers) {
            rounds += worker.rounds;
            errors += worker.errors;
            stall = Math.max(stall, worker.stallMillis());
            wrong = wrong == null ? worker.wrong : wrong;
            line.append("\"%s\":{\"rounds\":%d,\"errors\":%d,\"longestStallMillis\":%d,\"messages\":%s},"
                    .formatted(worker.name, worker.rounds, worker.errors, worker.stallMillis(), worker.messages()));
        }
        return line.append("\"rounds\":%d,\"errors\":%d,\"longestStallMillis\":%d,\"wrong\":%s,\"final\":%b}"
                        .formatted(rounds, errors, stall, wrong == null ? null : quoted(wrong), last))
                .toString();
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + "\"";
    }

    private static final class Worker {
        private final String name;
        private final Work work;
        private final Thread thread;
        private final List<String> messages = new ArrayList<>();
        private volatile long rounds;
        private volatile long errors;
        private volatile long longestNanos;
        private volatile long lastNanos;
        private volatile String wrong;

        Worker(String name, Work work) {
            this.name = name;
            this.work = work;
            this.thread = new Thread(this::run, name);
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // only this thread writes
        private void run() {
            lastNanos = System.nanoTime();
            while (!stopped && wrong == null) {
                try {
                    work.once();
                    rounds++;
                    longestNanos = Math.max(longestNanos, System.nanoTime() - lastNanos);
                    lastNanos = System.nanoTime();
                } catch (IOException e) {
                    failed(e);
                } catch (AssertionError | RuntimeException e) {
                    wrong = name + ": " + e.getMessage();
                }
            }
            try {
                work.close();
                if (wrong == null) {
                    work.verify();
                }
            } catch (IOException | AssertionError | RuntimeException e) {
                wrong = name + ": at the end: " + e;
            }
        }

        /** Counted, and begun again with fresh descriptors after a moment. */
        @SuppressWarnings("NonAtomicVolatileUpdate")
        private void failed(IOException failure) {
            errors++;
            synchronized (messages) {
                if (messages.size() < MOST_MESSAGES) {
                    messages.add(failure.toString());
                }
            }
            try {
                work.close();
                TimeUnit.MILLISECONDS.sleep(50);
            } catch (IOException e) {
                // It was broken before.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        long stallMillis() {
            long now = lastNanos == 0 || stopped ? 0 : System.nanoTime() - lastNanos;
            return TimeUnit.NANOSECONDS.toMillis(Math.max(longestNanos, now));
        }

        String messages() {
            synchronized (messages) {
                return messages.stream().map(LoadMain::quoted).toList().toString();
            }
        }
    }
}
