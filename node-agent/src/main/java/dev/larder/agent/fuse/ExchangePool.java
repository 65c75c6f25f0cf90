package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.larder.linux.fuse.Opcode;
import dev.larder.linux.fuse.Wire.GetxattrIn;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.linux.fuse.Wire.ReadIn;
import dev.larder.linux.fuse.Wire.WriteIn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Memory for requests that were handed over: many small and a few large exchanges, made when first needed and kept.
 * Waiting locks have a bound of their own, since what frees the others may be the unlock that comes next.
 */
final class ExchangePool {
    private static final int SMALL = 64 * 1024;

    private final SizeClass[] classes;
    private final int maxWaitingLocks;
    private final Semaphore waitingLocks;

    ExchangePool(Arena arena, int small, int large, int largeBytes, int maxWaitingLocks) {
        classes = new SizeClass[] {new SizeClass(arena, small, SMALL), new SizeClass(arena, large, largeBytes)};
        this.maxWaitingLocks = maxWaitingLocks;
        waitingLocks = new Semaphore(maxWaitingLocks);
    }

    private static final class SizeClass {
        private final Arena arena;
        private final int bytes;
        private final Semaphore free;
        private final ConcurrentLinkedQueue<Exchange> idle = new ConcurrentLinkedQueue<>();

        SizeClass(Arena arena, int count, int bytes) {
            this.arena = arena;
            this.bytes = bytes;
            this.free = new Semaphore(count);
        }

        Exchange take(long timeoutMillis) throws InterruptedException {
            if (!free.tryAcquire(timeoutMillis, TimeUnit.MILLISECONDS)) {
                return null;
            }
            Exchange exchange = idle.poll();
            return exchange != null ? exchange : new Exchange(arena, bytes, bytes);
        }

        void giveUp() {
            for (int left = idle.size(); left > 0; left--) {
                Exchange exchange = idle.poll();
                if (exchange != null) {
                    exchange.giveUp();
                    idle.add(exchange);
                }
            }
        }

        void give(Exchange exchange) {
            idle.add(exchange);
            free.release();
        }
    }

    /** What is kept for later requests takes no room until then. */
    void giveUpIdle() {
        for (SizeClass size : classes) {
            size.giveUp();
        }
    }

    /** A copied request, and what gives its memory back. */
    record Lease(Exchange exchange, MemorySegment request, Runnable giveBack) {}

    /** Copies a request out of a worker's buffer; null when the bound was still reached after the timeout. */
    Lease copy(MemorySegment request, long timeoutMillis) throws InterruptedException {
        SizeClass size = classes[Math.max(request.byteSize(), replyBytes(request)) <= SMALL ? 0 : 1];
        Exchange exchange = size.take(timeoutMillis);
        return exchange == null ? null : lease(exchange, request, () -> size.give(exchange));
    }

    /** As {@link #copy} for a lock request that may wait as long as it likes; null when too many wait. */
    Lease copyLock(MemorySegment request) {
        if (!waitingLocks.tryAcquire()) {
            return null;
        }
        Exchange exchange = new Exchange(Arena.ofAuto(), request.byteSize(), Long.BYTES);
        return lease(exchange, request, waitingLocks::release);
    }

    int maxWaitingLocks() {
        return maxWaitingLocks;
    }

    private static Lease lease(Exchange exchange, MemorySegment request, Runnable giveBack) {
        MemorySegment copy = exchange.request.asSlice(0, request.byteSize()).copyFrom(request);
        return new Lease(exchange, copy, giveBack);
    }

    /** What the kernel made room for. */
    private static long replyBytes(MemorySegment request) {
        int field = switch (request.get(JAVA_INT_UNALIGNED, InHeader.OPCODE)) {
            case Opcode.READ, Opcode.READDIR, Opcode.READDIRPLUS -> ReadIn.SIZE;
            case Opcode.GETXATTR, Opcode.LISTXATTR -> GetxattrIn.SIZE;
            case Opcode.WRITE -> WriteIn.SIZE;
            default -> -1;
        };
        int at = InHeader.BYTES + field;
        boolean known = field >= 0 && at + Integer.BYTES <= request.byteSize();
        return known ? Integer.toUnsignedLong(request.get(JAVA_INT_UNALIGNED, at)) : 0;
    }
}
