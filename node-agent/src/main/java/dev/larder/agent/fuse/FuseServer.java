package dev.larder.agent.fuse;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.ThreadSignal;
import dev.larder.linux.fuse.Negotiated;
import dev.larder.linux.fuse.Opcode;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.volume.Errno;
import dev.larder.volume.FileSystem;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a file system over a FUSE descriptor whose INIT has been answered. A few platform threads read, answer in place
 * and write the reply. The last one that would leave nobody reading hands its request to a virtual thread instead, as
 * does a lock that waits, so slow requests never occupy all workers.
 *
 * <p>Every start is a take-over: what a predecessor left unanswered is sent again. After {@link #stop} a successor may
 * serve the same descriptor. The descriptor, the kernel and the file system stay the caller's.
 */
public final class FuseServer {
    private static final Logger LOG = LoggerFactory.getLogger(FuseServer.class);
    private static final int BACK_PRESSURE_MILLIS = 100;

    private enum State {
        NEW,
        RUNNING,
        /** Answers what runs, reads no more. */
        STOPPING,
        /** Writes nothing any more. */
        STOPPED
    }

    /**
     * @param workers platform threads, 2 to 4
     * @param smallInFlight bound of handed-over requests of up to 64 KiB
     * @param largeInFlight bound of handed-over larger requests; each holds 2 MiB off the heap once used
     * @param waitingLocks bound of SETLKW; beyond it they get ENOLCK
     */
    public record Options(int workers, int smallInFlight, int largeInFlight, int waitingLocks, AccessLog accessLog) {
        public static final Options DEFAULT = new Options(4, 256, 16, 1024, AccessLog.NONE);

        public Options {
            if (workers < 2 || workers > 64 || smallInFlight < 1 || largeInFlight < 1 || waitingLocks < 1) {
                throw new IllegalArgumentException("FUSE server: 2 to 64 workers and positive bounds, not workers="
                        + workers + " smallInFlight=" + smallInFlight + " largeInFlight=" + largeInFlight
                        + " waitingLocks=" + waitingLocks);
            }
        }
    }

    private final Descriptor device;
    private final Negotiated negotiated;
    private final FuseKernel kernel;
    private final Options options;
    private final FuseCounters counters = new FuseCounters();
    private final Interrupts interrupts = new Interrupts();
    private final Dispatcher dispatcher;
    private final Arena arena = Arena.ofAuto();
    private final ExchangePool pool;
    private final AtomicInteger reading = new AtomicInteger();
    private final AtomicInteger inFlight = new AtomicInteger();
    /** Threads in read(2), which {@link #stop} interrupts; 0 = that worker is not. */
    private final AtomicIntegerArray readers;

    /** Workers whose memory is to be given up before they read again. */
    private final AtomicIntegerArray givingUp;

    private final List<Thread> workers = new ArrayList<>();
    private final CountDownLatch ended;
    private volatile State state = State.NEW;
    private volatile boolean unmounted;

    public FuseServer(
            Descriptor device, Negotiated negotiated, FuseKernel kernel, FileSystem fileSystem, Options options) {
        this.device = device;
        this.negotiated = negotiated;
        this.kernel = kernel;
        this.options = options;
        this.dispatcher = new Dispatcher(fileSystem, kernel, negotiated, interrupts);
        this.pool = new ExchangePool(
                arena,
                options.smallInFlight,
                options.largeInFlight,
                negotiated.maxWrite() + InHeader.BYTES * 2,
                options.waitingLocks);
        this.readers = new AtomicIntegerArray(options.workers);
        this.givingUp = new AtomicIntegerArray(options.workers);
        this.ended = new CountDownLatch(options.workers);
    }

    /** Takes over what was left unanswered, then serves until {@link #stop} or the end of the mount. */
    public synchronized void start() {
        if (state != State.NEW) {
            throw new IllegalStateException("a FUSE server starts once; it is " + state);
        }
        state = State.RUNNING;
        boolean resent = kernel.resend();
        for (int i = 0; i < options.workers; i++) {
            int slot = i;
            workers.add(Thread.ofPlatform().daemon().name("fuse-worker-" + i).start(() -> work(slot)));
        }
        LOG.info(
                "fuse server started workers={} resend={} max_write={}",
                options.workers,
                resent,
                negotiated.maxWrite());
    }

    /** While nothing is asked: memory that earlier requests have touched is given up, by the workers themselves. */
    public void giveUpIdle() {
        pool.giveUpIdle();
        for (int i = 0; i < readers.length(); i++) {
            givingUp.set(i, 1);
            int thread = readers.get(i);
            if (thread != 0) {
                ThreadSignal.interrupt(thread);
            }
        }
    }

    public FuseCounters counters() {
        return counters;
    }

    /** The mount has ended. */
    public boolean unmounted() {
        return unmounted;
    }

    /** @return true when all workers have ended: unmounted or stopped */
    public boolean awaitEnd(Duration timeout) throws InterruptedException {
        return ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Reads no more and finishes what runs. Locks that wait are left unanswered for the successor, as is what does not
     * finish in time.
     *
     * @return true when everything that was read has been answered, but for waiting locks
     */
    public boolean stop(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        synchronized (this) {
            if (state == State.RUNNING) {
                state = State.STOPPING;
            }
        }
        interrupts.interruptAll();
        boolean workersEnded = awaitWorkers(deadline);
        boolean quiet = awaitHandedOver(deadline) && workersEnded;
        state = State.STOPPED;
        LOG.info("fuse server stopped all_answered={}", quiet);
        return quiet;
    }

    private boolean awaitWorkers(long deadline) throws InterruptedException {
        while (ended.getCount() > 0 && !workers.isEmpty()) {
            for (int i = 0; i < readers.length(); i++) {
                int thread = readers.get(i);
                if (thread != 0) {
                    ThreadSignal.interrupt(thread);
                }
            }
            if (ended.await(5, TimeUnit.MILLISECONDS)) {
                return true;
            }
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
        }
        return true;
    }

    private boolean awaitHandedOver(long deadline) throws InterruptedException {
        synchronized (inFlight) {
            while (inFlight.get() > 0) {
                long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
                if (leftMillis <= 0) {
                    return false;
                }
                inFlight.wait(leftMillis);
            }
        }
        return true;
    }

    /** For tests of a take-over: from now on nothing is answered, as if the process had been killed. */
    void abandon() throws InterruptedException {
        state = State.STOPPED;
        interrupts.interruptAll();
        awaitWorkers(System.nanoTime() + TimeUnit.SECONDS.toNanos(10));
    }

    private void work(int slot) {
        try {
            Exchange exchange = new Exchange(arena, negotiated.maxWrite() + 4096L, negotiated.maxWrite());
            int thread = ThreadSignal.currentThread();
            while (state == State.RUNNING) {
                if (givingUp.getAndSet(slot, 0) != 0) {
                    exchange.giveUp();
                }
                reading.incrementAndGet();
                readers.set(slot, thread);
                long length = LinuxFile.tryRead(device.number(), exchange.request);
                readers.set(slot, 0);
                int othersReading = reading.decrementAndGet();
                if (length >= InHeader.BYTES) {
                    take(exchange, exchange.request.asSlice(0, length), othersReading);
                } else if (!goesOn(length)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            LOG.error("fuse worker ended", e);
        } finally {
            ended.countDown();
        }
    }

    /** ENOENT: the request was interrupted before it was read. */
    private boolean goesOn(long result) {
        return switch ((int) -result) {
            case LinuxErrno.EINTR, LinuxErrno.EAGAIN, LinuxErrno.ENOENT -> true;
            case LinuxErrno.ENODEV, LinuxErrno.ECONNABORTED -> {
                unmounted = true;
                yield false;
            }
            default -> {
                LOG.error("cannot read requests result={}", result);
                yield false;
            }
        };
    }

    private void take(Exchange exchange, MemorySegment bytes, int othersReading) throws InterruptedException {
        long start = System.nanoTime();
        Request request = new Request(bytes);
        if (request.opcode() == Opcode.SETLKW) {
            ExchangePool.Lease lease = pool.copyLock(bytes);
            if (lease == null) {
                LOG.warn("too many locks wait limit={} answer=ENOLCK", pool.maxWaitingLocks());
                write(request, new Reply(exchange.reply), Errno.ENOLCK.value(), start);
            } else {
                handOver(lease, start);
            }
        } else if (othersReading > 0 || !Dispatcher.hasReply(request.opcode())) {
            serve(request, exchange, start);
        } else {
            ExchangePool.Lease lease = pool.copy(bytes, BACK_PRESSURE_MILLIS);
            if (lease == null) {
                serve(request, exchange, start);
            } else {
                handOver(lease, start);
            }
        }
    }

    private void handOver(ExchangePool.Lease lease, long start) {
        counters.countHandOver();
        inFlight.incrementAndGet();
        Thread.ofVirtual().name("fuse-request").start(() -> {
            try {
                serve(new Request(lease.request()), lease.exchange(), start);
            } finally {
                lease.giveBack().run();
                synchronized (inFlight) {
                    inFlight.decrementAndGet();
                    inFlight.notifyAll();
                }
            }
        });
    }

    private void serve(Request request, Exchange exchange, long start) {
        Reply reply = new Reply(exchange.reply);
        int errno = dispatcher.answer(request, reply);
        boolean leftForSuccessor = state != State.RUNNING && request.opcode() == Opcode.SETLKW && errno != 0;
        if (!leftForSuccessor) {
            write(request, reply, errno, start);
        }
    }

    /** ENOENT: the request was interrupted or aborted, nobody waits for the reply. */
    private void write(Request request, Reply reply, int errno, long start) {
        int opcode = request.opcode();
        if (Dispatcher.hasReply(opcode) && state != State.STOPPED) {
            long result = LinuxFile.tryWrite(device.number(), reply.finish(request.unique(), errno));
            if (result < 0 && result != -LinuxErrno.ENOENT && result != -LinuxErrno.ENODEV) {
                LOG.error("reply refused op={} unique={} errno={}", Opcode.name(opcode), request.identity(), -result);
                LinuxFile.tryWrite(device.number(), reply.finish(request.unique(), Errno.EIO.value()));
            }
        }
        long took = System.nanoTime() - start;
        counters.count(opcode, errno, took);
        options.accessLog.answered(opcode, request.nodeid(), request.uid(), request.pid(), errno, took);
    }
}
