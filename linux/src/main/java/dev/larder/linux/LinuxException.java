package dev.larder.linux;

/** A system call that failed. */
public final class LinuxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    public LinuxException(String call, int errno) {
        this(call, errno, null);
    }

    /** @param subject what the call was about (a path, an address), or null */
    public LinuxException(String call, int errno, String subject) {
        super(call + (subject == null ? "" : "(" + subject + ")") + ": " + LinuxErrno.describe(errno));
        this.call = call;
        this.errno = errno;
    }

    /** The function of the C library, such as "openat". */
    public String call() {
        return call;
    }

    /** The positive number, as in errno.h. */
    public int errno() {
        return errno;
    }

    public boolean is(int wanted) {
        return errno == wanted;
    }
}
