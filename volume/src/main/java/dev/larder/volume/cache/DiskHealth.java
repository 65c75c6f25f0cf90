package dev.larder.volume.cache;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether the cache's disk can be relied on: errors in a row take it down, successes bring it back. Thread-safe. */
final class DiskHealth {
    enum State {
        NORMAL,
        UNSTABLE,
        DOWN
    }

    static final int ERRORS_TO_DOWN = 5;
    static final int SUCCESSES_TO_NORMAL = 100;
    private static final Logger log = LoggerFactory.getLogger(DiskHealth.class);

    private volatile State state = State.NORMAL;
    private int errors;
    private int successes;

    State state() {
        return state;
    }

    boolean isDown() {
        return state == State.DOWN;
    }

    /** Cheap while all is well. */
    void succeeded() {
        if (state == State.UNSTABLE) {
            countSuccess();
        }
    }

    private synchronized void countSuccess() {
        errors = 0;
        if (state == State.UNSTABLE && ++successes >= SUCCESSES_TO_NORMAL) {
            become(State.NORMAL, null);
        }
    }

    /** A full disk is not a broken one and does not count. */
    synchronized void failed(ErrnoException cause) {
        if (cause.errno() == Errno.ENOSPC || cause.errno() == Errno.EDQUOT) {
            return;
        }
        successes = 0;
        if (++errors >= ERRORS_TO_DOWN) {
            become(State.DOWN, cause);
        } else if (state == State.NORMAL) {
            become(State.UNSTABLE, cause);
        }
    }

    /** A probe of a disk that was down worked. */
    synchronized void recovered() {
        if (state == State.DOWN) {
            errors = 0;
            successes = 0;
            become(State.UNSTABLE, null);
        }
    }

    private void become(State next, ErrnoException cause) {
        if (state != next) {
            log.warn("cache disk state={} was={} cause={}", next, state, cause == null ? "-" : cause.getMessage());
            state = next;
        }
    }
}
