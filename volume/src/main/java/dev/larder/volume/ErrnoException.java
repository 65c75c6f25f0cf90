package dev.larder.volume;

/**
 * An operation's answer to the kernel when it is not success. Expected answers (ENOENT, EEXIST) carry no stack and no
 * message; failures of a store or a database carry the cause.
 */
public sealed class ErrnoException extends RuntimeException permits HeldElsewhereException, LostChangesException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    public ErrnoException(Errno errno) {
        super(errno.name(), null, false, false);
        this.errno = errno;
    }

    public ErrnoException(Errno errno, String message) {
        super(errno.name() + ": " + message, null, false, false);
        this.errno = errno;
    }

    public ErrnoException(Errno errno, String message, Throwable cause) {
        super(errno.name() + ": " + message, cause);
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }
}
