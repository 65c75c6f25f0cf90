package dev.larder.volume.engine;

import java.time.Duration;

/**
 * Limits of the content half.
 *
 * @param inlineBytes a commit of at most this many new bytes goes into the metadata, without an object
 * @param readaheadBytes how far a sequential reader is read ahead
 * @param prefetchBytes files up to this size are fetched whole when they are opened; 0 = none are
 * @param passthroughBytes smaller files are read through the agent: their pages stay in the kernel from one open to the
 *     next, and an open costs less than half
 * @param dirtyLimitBytes writers wait for uploads beyond this
 * @param flushAge bytes that are dirty for longer are committed though their file is still open
 * @param patience how long an operation waits for the store, or for room for dirty bytes, before it fails
 * @param idleInodes closed inodes whose extents are remembered
 * @param uploads segments uploaded at the same time; each takes its size from the transfers' memory
 * @param fetches fetches under way at the same time
 */
record ContentOptions(
        long inlineBytes,
        long readaheadBytes,
        long prefetchBytes,
        long passthroughBytes,
        long dirtyLimitBytes,
        Duration flushAge,
        Duration patience,
        int idleInodes,
        int uploads,
        int fetches) {
    static final ContentOptions DEFAULTS = new ContentOptions(
            64 << 10, 8 << 20, 0, 256 << 10, 1L << 30, Duration.ofSeconds(3), Duration.ofSeconds(60), 16_384, 4, 32);

    /** With no more dirty bytes than half of a cache of this capacity: writers must not wait for the cache itself. */
    ContentOptions within(long cacheBytes) {
        return new ContentOptions(
                inlineBytes,
                readaheadBytes,
                prefetchBytes,
                passthroughBytes,
                Math.min(dirtyLimitBytes, cacheBytes / 2),
                flushAge,
                patience,
                idleInodes,
                uploads,
                fetches);
    }
}
