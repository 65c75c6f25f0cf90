package dev.larder.volume.cache;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.util.concurrent.locks.LockSupport;

/** How a write that finds the cache full waits: clean data is evicted, commits free more, up to the deadline. */
final class WriteRoom {
    private static final long PAUSE_NANOS = 5_000_000L;

    private WriteRoom() {}

    /** Reserves, or throws ENOSPC. */
    static void await(CacheParts parts, long bytes) {
        long deadline = System.nanoTime() + parts.options().writeWait().toNanos();
        while (!parts.room().tryReserve(bytes)) {
            if (System.nanoTime() - deadline > 0) {
                throw full(parts, bytes);
            }
            if (!parts.eviction().free(bytes)) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /** The disk itself may be full before the capacity is reached: others write there too. */
    static void retryWhenFull(CacheParts parts, long bytes, Runnable write) {
        long deadline = System.nanoTime() + parts.options().writeWait().toNanos();
        while (true) {
            try {
                write.run();
                return;
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOSPC || System.nanoTime() - deadline > 0) {
                    throw e;
                }
                if (!parts.eviction().free(bytes)) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        }
    }

    private static ErrnoException full(CacheParts parts, long bytes) {
        return new ErrnoException(
                Errno.ENOSPC,
                "no room for " + bytes + " bytes in the cache "
                        + parts.directory().root() + " within "
                        + parts.options().writeWait() + ": all of it is dirty or pinned, or its disk is full");
    }
}
