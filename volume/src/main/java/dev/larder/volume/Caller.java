package dev.larder.volume;

/** Who asks, as the kernel tells it. */
public record Caller(long uid, long gid, int pid) {
    public static final Caller ROOT = new Caller(0, 0, 0);
}
