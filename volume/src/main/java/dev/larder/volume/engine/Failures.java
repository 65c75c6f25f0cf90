package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;

/** Maps what the store and the cache disk throw to an errno, in one place. */
final class Failures {
    private Failures() {}

    /** An ErrnoException as it is; anything else is EIO with its cause's message. */
    static ErrnoException of(String what, Throwable cause) {
        if (cause instanceof ErrnoException errno) {
            return errno;
        }
        return new ErrnoException(Errno.EIO, what + ": " + cause.getMessage(), cause);
    }
}
