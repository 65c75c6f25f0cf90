package dev.larder.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Native memory of one call: where errno is captured, and room for paths and small structs. A platform thread owns one
 * for life; virtual threads, which may be many and short, borrow from a pool that is as large as the most calls that
 * ever ran on them at once.
 */
final class Scratch implements AutoCloseable {
    private static final int BYTES = 32 * 1024;
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(() -> new Scratch(Arena.ofAuto()));
    private static final ConcurrentLinkedQueue<Scratch> POOL = new ConcurrentLinkedQueue<>();

    /** The capture state: errno is its only member, at offset 0 (Linker.Option.captureStateLayout on Linux). */
    final MemorySegment state;

    private final MemorySegment memory;
    private final boolean pooled;
    private long used;

    private Scratch(Arena arena) {
        state = arena.allocate(Native.STATE);
        memory = arena.allocate(BYTES, 64);
        pooled = Thread.currentThread().isVirtual();
    }

    static Scratch take() {
        if (!Thread.currentThread().isVirtual()) {
            return OF_THREAD.get();
        }
        Scratch scratch = POOL.poll();
        return scratch != null ? scratch : new Scratch(Arena.ofAuto());
    }

    int errno() {
        return state.get(ValueLayout.JAVA_INT, 0);
    }

    /** Zeroed memory, 8-aligned, that lives until close. */
    MemorySegment allocate(long bytes) {
        long start = (used + 7) & ~7L;
        if (start + bytes > BYTES) {
            throw new LinuxException("call arguments", LinuxErrno.ENAMETOOLONG);
        }
        used = start + bytes;
        return memory.asSlice(start, bytes).fill((byte) 0);
    }

    /** The text in UTF-8 with a final NUL. */
    MemorySegment text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            if (b == 0) {
                throw new LinuxException("call arguments", LinuxErrno.EINVAL, "a NUL inside of a path or option");
            }
        }
        MemorySegment segment = allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    @Override
    public void close() {
        used = 0;
        if (pooled) {
            POOL.add(this);
        }
    }
}
