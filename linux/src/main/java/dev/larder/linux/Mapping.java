package dev.larder.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A file in memory, shared with the file (mmap, MAP_SHARED). The segment must not be touched after {@link #close};
 * touching a page beyond the end of the file, or one that the disk cannot give, ends in an InternalError.
 */
public final class Mapping implements AutoCloseable {
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MADV_DONTNEED = 4;
    private static final int MS_SYNC = 4;

    private static final class Mmap {
        static final MethodHandle HANDLE = Native.longs("mmap");
    }

    private static final class Madvise {
        static final MethodHandle HANDLE = Native.longs("madvise");
    }

    private static final class Munmap {
        static final MethodHandle HANDLE = Native.longs("munmap");
    }

    private static final class Msync {
        static final MethodHandle HANDLE = Native.longs("msync");
    }

    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Mapping(MemorySegment segment) {
        this.segment = segment;
    }

    /** @param offset a multiple of the page size; the file must reach to offset + length */
    public static Mapping map(int fd, long offset, long length, boolean writable) {
        try (Scratch scratch = Scratch.take()) {
            long protection = PROT_READ | (writable ? PROT_WRITE : 0);
            long address = Call.longs("mmap", Mmap.HANDLE, scratch, 0, length, protection, MAP_SHARED, fd, offset);
            MemorySegment mapped = MemorySegment.ofAddress(address).reinterpret(length);
            return new Mapping(writable ? mapped : mapped.asReadOnly());
        }
    }

    /**
     * Memory of zeros, of whole pages, that takes room page by page as it is touched; unmapped when the arena ends.
     */
    public static MemorySegment anonymous(Arena arena, long bytes) {
        try (Scratch scratch = Scratch.take()) {
            long address = Call.longs(
                    "mmap", Mmap.HANDLE, scratch, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            return MemorySegment.ofAddress(address).reinterpret(bytes, arena, Mapping::unmap);
        }
    }

    /** What {@link #anonymous} gave is zeros again and takes no room. */
    public static void discard(MemorySegment anonymous) {
        try (Scratch scratch = Scratch.take()) {
            Call.ints(
                    "madvise",
                    null,
                    Madvise.HANDLE,
                    scratch,
                    anonymous.address(),
                    anonymous.byteSize(),
                    MADV_DONTNEED,
                    0);
        }
    }

    private static void unmap(MemorySegment mapped) {
        try (Scratch scratch = Scratch.take()) {
            Call.ints("munmap", null, Munmap.HANDLE, scratch, mapped.address(), mapped.byteSize(), 0, 0);
        }
    }

    public MemorySegment segment() {
        return segment;
    }

    /** Changed pages of a range, which is widened to whole pages, are on the disk when it returns. */
    public void sync(long offset, long length) {
        final long pageMask = 4095;
        long start = offset & ~pageMask;
        try (Scratch scratch = Scratch.take()) {
            long bytes = offset + length - start;
            Call.ints("msync", null, Msync.HANDLE, scratch, segment.address() + start, bytes, MS_SYNC, 0);
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            unmap(segment);
        }
    }
}
