package dev.larder.volume.objects;

import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Off-heap buffers of transfers. What is in use counts against a {@link MemoryBudget}; what lies idle is bounded apart
 * and kept because fresh memory costs a page fault for every 4 KiB. Each buffer has an arena of its own and is freed at a
 * known moment: when it is given back to a full or closed pool.
 */
final class BufferPool implements AutoCloseable {
    private static final long STEP_BYTES = 256 << 10;
    private static final long ALIGNMENT = 4096;

    private final MemoryBudget budget;
    private final long maxIdleBytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final TreeMap<Long, ArrayDeque<Block>> idle = new TreeMap<>();
    private long idleBytes;
    private boolean closed;

    BufferPool(MemoryBudget budget, long maxIdleBytes) {
        this.budget = budget;
        this.maxIdleBytes = maxIdleBytes;
    }

    /** A buffer of at least that many bytes, when the budget allows it within {@code patience}. */
    Buffer acquire(long bytes, Duration patience) throws StoreTimeoutException, InterruptedIOException {
        return buffer(bytes, budget.acquire(capacity(bytes), patience));
    }

    /** @return null when the budget does not allow it now */
    Buffer tryAcquire(long bytes) {
        MemoryBudget.Grant grant = budget.tryAcquire(capacity(bytes));
        return grant == null ? null : buffer(bytes, grant);
    }

    /** What a buffer of that many bytes takes from the budget. */
    static long capacity(long bytes) {
        return Math.max(1, Math.ceilDiv(bytes, STEP_BYTES)) * STEP_BYTES;
    }

    /** Idle buffers are freed now. */
    void giveUpIdle() {
        lock.lock();
        try {
            idle.values().forEach(blocks -> blocks.forEach(block -> block.arena.close()));
            idle.clear();
            idleBytes = 0;
        } finally {
            lock.unlock();
        }
    }

    /** Idle buffers are freed now, those in use when they come back. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            giveUpIdle();
        } finally {
            lock.unlock();
        }
    }

    private Buffer buffer(long bytes, MemoryBudget.Grant grant) {
        try {
            Block block = takeIdle(grant.bytes());
            return new Buffer(block == null ? allocate(grant.bytes()) : block, bytes, grant);
        } catch (RuntimeException | Error failure) {
            grant.close();
            throw failure;
        }
    }

    private Block takeIdle(long capacity) {
        lock.lock();
        try {
            ArrayDeque<Block> blocks = idle.get(capacity);
            Block block = blocks == null ? null : blocks.pollLast();
            if (block != null) {
                idleBytes -= capacity;
            }
            return block;
        } finally {
            lock.unlock();
        }
    }

    private static Block allocate(long capacity) {
        Arena arena = Arena.ofShared();
        return new Block(arena, arena.allocate(capacity, ALIGNMENT));
    }

    private void giveBack(Block block) {
        long capacity = block.memory.byteSize();
        ArrayDeque<Block> freed = new ArrayDeque<>();
        lock.lock();
        try {
            if (closed || capacity > maxIdleBytes) {
                freed.add(block);
            } else {
                idle.computeIfAbsent(capacity, size -> new ArrayDeque<>()).addLast(block);
                idleBytes += capacity;
                evictOthers(capacity, freed);
            }
        } finally {
            lock.unlock();
        }
        freed.forEach(old -> old.arena.close());
    }

    /** The size that was used last stays, so a change of load does not leave the pool full of sizes nobody asks for. */
    private void evictOthers(long capacity, ArrayDeque<Block> freed) {
        while (idleBytes > maxIdleBytes) {
            Map.Entry<Long, ArrayDeque<Block>> victim = idle.firstEntry();
            if (victim.getKey() == capacity && idle.size() > 1) {
                victim = idle.higherEntry(capacity);
            }
            freed.add(victim.getValue().pollFirst());
            idleBytes -= victim.getKey();
            if (victim.getValue().isEmpty()) {
                idle.remove(victim.getKey());
            }
        }
    }

    private record Block(Arena arena, MemorySegment memory) {}

    /** Held by one transfer; its content is undefined at first. */
    final class Buffer implements AutoCloseable {
        private final MemorySegment memory;
        private final MemoryBudget.Grant grant;
        private Block block;

        private Buffer(Block block, long bytes, MemoryBudget.Grant grant) {
            this.block = block;
            this.memory = block.memory.asSlice(0, bytes);
            this.grant = grant;
        }

        MemorySegment memory() {
            return memory;
        }

        @Override
        public void close() {
            if (block != null) {
                giveBack(block);
                block = null;
                grant.close();
            }
        }
    }
}
