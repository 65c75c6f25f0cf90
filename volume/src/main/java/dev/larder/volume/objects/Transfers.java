package dev.larder.volume.objects;

import dev.larder.volume.objects.BufferPool.Buffer;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Moves bytes between buffers and a store: retries, deadlines, a second GET when the first is slow. Every request runs on
 * a virtual thread that owns its buffer until it ends, so one that hangs past the deadline is left behind and can never
 * write into memory that has found another use.
 */
final class Transfers {
    private final ObjectStore store;
    private final BufferPool pool;
    private final SegmentOptions options;
    private final Semaphore gets;
    private final LatencyWindow latency = new LatencyWindow();
    private final Counter retries;
    private final Counter hedges;

    Transfers(ObjectStore store, BufferPool pool, SegmentOptions options, MeterRegistry registry, Tags tags) {
        this.store = store;
        this.pool = pool;
        this.options = options;
        this.gets = new Semaphore(options.parallelGets(), true);
        this.retries = registry.counter("larder_segment_retries", tags);
        this.hedges = registry.counter("larder_segment_hedges", tags);
    }

    /**
     * Fetches a range into a new buffer, which the caller closes.
     *
     * @param spareBytes left undefined after the range, for decoding
     */
    Buffer get(String key, long offset, long length, long spareBytes, Deadline deadline) throws IOException {
        Fetch fetch = new Fetch(key, offset, length, spareBytes);
        return retrying("GET of " + key, deadline, () -> {
            acquireGet(key, deadline);
            try {
                return hedged(fetch, deadline);
            } finally {
                gets.release();
            }
        });
    }

    /** Stores a part of a buffer and gives the buffer back, whatever happens. */
    void put(String key, Buffer buffer, MemorySegment object, Deadline deadline) throws IOException {
        boolean[] leftBehind = new boolean[1];
        try {
            retrying("PUT of " + key, deadline, () -> {
                BlockingQueue<Attempt> ended = new ArrayBlockingQueue<>(1);
                Attempt attempt = new Attempt(buffer, () -> store.put(key, object), ended);
                boolean returned = false;
                try {
                    returned = poll(ended, deadline.leftNanos()) != null;
                } finally {
                    leftBehind[0] = !returned && attempt.leave();
                }
                if (!returned) {
                    throw deadline.passed("PUT of " + key);
                }
                attempt.rethrow();
                return null;
            });
        } finally {
            if (!leftBehind[0]) {
                buffer.close();
            }
        }
    }

    private Buffer hedged(Fetch fetch, Deadline deadline) throws IOException {
        List<Attempt> running = new ArrayList<>();
        BlockingQueue<Attempt> ended = new ArrayBlockingQueue<>(2);
        try {
            running.add(start(fetch, pool.acquire(fetch.bytes(), deadline.left()), ended));
            Attempt next = null;
            if (options.hedge()) {
                next = poll(ended, Math.min(latency.slowNanos(), deadline.leftNanos()));
                if (next == null) {
                    hedge(fetch, running, ended);
                }
            }
            return winner(fetch, next, running, ended, deadline);
        } finally {
            running.forEach(Attempt::abandon);
        }
    }

    /** The first that succeeds; when all have failed, the last one's failure. */
    private Buffer winner(
            Fetch fetch, Attempt first, List<Attempt> running, BlockingQueue<Attempt> ended, Deadline deadline)
            throws IOException {
        Attempt next = first;
        while (true) {
            if (next == null) {
                next = poll(ended, deadline.leftNanos());
            }
            if (next == null) {
                throw deadline.passed("GET of " + fetch.key);
            }
            running.remove(next);
            if (next.failure == null) {
                return next.buffer;
            }
            next.buffer.close();
            if (running.isEmpty()) {
                next.rethrow();
            }
            next = null;
        }
    }

    /** Only with memory that is free now: one who holds memory does not wait for more. */
    private void hedge(Fetch fetch, List<Attempt> running, BlockingQueue<Attempt> ended) {
        if (latency.takeHedge()) {
            Buffer second = pool.tryAcquire(fetch.bytes());
            if (second != null) {
                hedges.increment();
                running.add(start(fetch, second, ended));
            }
        }
    }

    private Attempt start(Fetch fetch, Buffer buffer, BlockingQueue<Attempt> ended) {
        MemorySegment into = buffer.memory().asSlice(0, fetch.length);
        return new Attempt(
                buffer,
                () -> {
                    long begin = System.nanoTime();
                    store.get(fetch.key, fetch.offset, into);
                    latency.record(System.nanoTime() - begin);
                },
                ended);
    }

    private void acquireGet(String key, Deadline deadline) throws IOException {
        try {
            if (!gets.tryAcquire(deadline.leftNanos(), TimeUnit.NANOSECONDS)) {
                throw deadline.passed("the wait for one of " + options.parallelGets() + " parallel GETs for " + key);
            }
        } catch (InterruptedException interrupted) {
            throw interrupted(interrupted);
        }
    }

    private <T> T retrying(String what, Deadline deadline, Call<T> call) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return call.run();
            } catch (MissingObjectException
                    | StoreAccessException
                    | StoreTimeoutException
                    | InterruptedIOException final_) {
                throw final_;
            } catch (IOException failure) {
                if (attempt == options.attempts()) {
                    throw new IOException(
                            what + " failed " + attempt + " times, the last time: " + failure.getMessage(), failure);
                }
                backOff(what, attempt, deadline, failure);
                retries.increment();
            }
        }
    }

    private void backOff(String what, int attempt, Deadline deadline, IOException failure) throws IOException {
        long longest = options.backoff().toNanos() << Math.min(attempt - 1, 10);
        long nanos = longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2 + 1);
        if (nanos >= deadline.leftNanos()) {
            StoreTimeoutException passed = deadline.passed(what);
            passed.addSuppressed(failure);
            throw passed;
        }
        try {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } catch (InterruptedException interrupted) {
            throw interrupted(interrupted);
        }
    }

    private static Attempt poll(BlockingQueue<Attempt> ended, long nanos) throws InterruptedIOException {
        try {
            return ended.poll(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            throw interrupted(interrupted);
        }
    }

    private static InterruptedIOException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        InterruptedIOException interrupted =
                new InterruptedIOException("interrupted while waiting for the object store");
        interrupted.initCause(cause);
        return interrupted;
    }

    private record Fetch(String key, long offset, long length, long spareBytes) {
        long bytes() {
            return length + spareBytes;
        }
    }

    @FunctionalInterface
    private interface Call<T> {
        T run() throws IOException;
    }

    @FunctionalInterface
    private interface Request {
        void run() throws IOException;
    }

    /** One request. Its buffer is the thread's while it runs, the starter's when it has ended. */
    private static final class Attempt {
        private enum State {
            RUNNING,
            ENDED,
            LEFT
        }

        private final Buffer buffer;
        private final AtomicReference<State> state = new AtomicReference<>(State.RUNNING);
        private final Thread thread;
        private volatile Throwable failure;

        Attempt(Buffer buffer, Request request, BlockingQueue<Attempt> ended) {
            this.buffer = buffer;
            this.thread = Thread.ofVirtual().name("larder-transfer").start(() -> run(request, ended));
        }

        private void run(Request request, BlockingQueue<Attempt> ended) {
            try {
                request.run();
            } catch (Throwable any) { // handed to the starter, whatever it is
                failure = any;
            }
            if (state.compareAndSet(State.RUNNING, State.ENDED)) {
                ended.add(this);
            } else {
                buffer.close();
            }
        }

        /** @return true when it still ran: it now gives the buffer back itself */
        boolean leave() {
            boolean ran = state.compareAndSet(State.RUNNING, State.LEFT);
            if (ran) {
                thread.interrupt();
            }
            return ran;
        }

        void abandon() {
            if (!leave()) {
                buffer.close();
            }
        }

        void rethrow() throws IOException {
            switch (failure) {
                case null -> {}
                case IOException failed -> throw failed;
                case RuntimeException failed -> throw failed;
                case Error failed -> throw failed;
                default -> throw new IOException(failure);
            }
        }
    }
}
