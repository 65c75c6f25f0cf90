package dev.larder.volume.cache;

/** The order in which slices are given up. Not thread-safe. */
interface EvictionPolicy {
    /** The slice was read or filled; a new one is added. */
    void touched(Slice slice);

    void removed(Slice slice);

    boolean contains(Slice slice);

    int size();

    /** The slice to give up next, which is removed; null when there is none. */
    Slice victim();

    static EvictionPolicy of(CacheOptions.Policy policy) {
        return switch (policy) {
            case W_TINY_LFU -> new TinyLfuPolicy();
            case LRU -> new LruPolicy();
        };
    }

    /** 8 MiB of a file. */
    record Slice(long inode, long number) {
        static final long BYTES = 8L << 20;

        static Slice at(long inode, long offset) {
            return new Slice(inode, offset / BYTES);
        }

        long from() {
            return number * BYTES;
        }

        long to() {
            return from() + BYTES;
        }
    }
}
