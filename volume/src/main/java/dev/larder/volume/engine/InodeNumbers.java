package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Metadata;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Inode numbers, leased in blocks by durable commits; the next block is fetched before the first is used up. */
final class InodeNumbers {
    static final int BLOCK = 1_000;
    private static final int PREFETCH_BELOW = BLOCK / 4;
    private static final long LIMIT_SECONDS = 60;

    private final Metadata metadata;
    private final Executor background;
    private long next;
    private long end;
    private CompletableFuture<Long> coming;

    InodeNumbers(Metadata metadata, Executor background) {
        this.metadata = metadata;
        this.background = background;
    }

    synchronized long next() {
        if (next == end) {
            next = block();
            end = next + BLOCK;
        }
        if (end - next <= PREFETCH_BELOW && coming == null) {
            coming = CompletableFuture.supplyAsync(() -> metadata.leaseInodes(BLOCK), background);
        }
        return next++;
    }

    private long block() {
        CompletableFuture<Long> block = coming;
        coming = null;
        if (block == null) {
            return metadata.leaseInodes(BLOCK);
        }
        try {
            return block.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            return metadata.leaseInodes(BLOCK);
        }
    }
}
