package dev.larder.volume.cache;

/**
 * When which ranges of a file last changed their content: a fill that is older than such a change of its range must not
 * be kept. Remembers the last changes; what is older than all of them is dropped too. Guarded by the file's lock.
 */
final class Epochs {
    private static final int REMEMBERED = 32;

    private final long[] epochs = new long[REMEMBERED];
    private final long[] from = new long[REMEMBERED];
    private final long[] to = new long[REMEMBERED];
    private int next;
    private long forgottenUpTo;

    Epochs(long now) {
        forgottenUpTo = now;
    }

    void changed(long epoch, long rangeFrom, long rangeTo) {
        forgottenUpTo = Math.max(forgottenUpTo, epochs[next]);
        epochs[next] = epoch;
        from[next] = rangeFrom;
        to[next] = rangeTo;
        next = (next + 1) % REMEMBERED;
    }

    /** Whether content asked for at the epoch may have been replaced since in the range. */
    boolean isStale(long epoch, long rangeFrom, long rangeTo) {
        if (epoch < forgottenUpTo) {
            return true;
        }
        for (int i = 0; i < REMEMBERED; i++) {
            if (epochs[i] > epoch && from[i] < rangeTo && to[i] > rangeFrom) {
                return true;
            }
        }
        return false;
    }
}
