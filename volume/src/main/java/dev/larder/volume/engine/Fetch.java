package dev.larder.volume.engine;

import dev.larder.volume.metadata.Extent;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A range on its way from the store into the cache; every reader of it waits for the same one.
 *
 * @param epoch of the cache file, when the extents were known to be right
 */
record Fetch(long from, long to, List<Extent> extents, long epoch, CompletableFuture<Void> done, Flag dead) {
    /** Set once. */
    static final class Flag {
        volatile boolean set;
    }

    static Fetch of(long from, long to, List<Extent> extents, long epoch) {
        return new Fetch(from, to, extents, epoch, new CompletableFuture<>(), new Flag());
    }

    /** Its bytes have been overwritten or dropped: they must not go into the cache any more. */
    void kill() {
        dead.set = true;
    }
}
