package dev.larder.volume.cache;

/**
 * A cache file as its writer left it. Every change of the bytes moves its ctime, and nothing can set it back: a file with
 * the stamp that was recorded has the bytes that were recorded.
 */
record Stamp(long lengthBytes, long ctimeNanos) {
    /** Of a file that nobody vouches for. */
    static final Stamp NONE = new Stamp(-1, -1);
}
