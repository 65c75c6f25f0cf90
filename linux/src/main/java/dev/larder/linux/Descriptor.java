package dev.larder.linux;

import java.util.concurrent.atomic.AtomicInteger;

/** An open file descriptor that closes once, however often {@link #close} is called and by however many threads. */
public final class Descriptor implements AutoCloseable {
    private static final class Close {
        static final java.lang.invoke.MethodHandle HANDLE = Native.longs("close");
    }

    private static final class Fcntl {
        static final java.lang.invoke.MethodHandle HANDLE = Native.variadic2("fcntl");
    }

    private static final int CLOSED = -1;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_SETFL = 4;
    private static final int F_GETFL = 3;

    private final AtomicInteger number;

    private Descriptor(int number) {
        this.number = new AtomicInteger(number);
    }

    /** Takes over a number that nobody else will close. */
    public static Descriptor own(int number) {
        if (number < 0) {
            throw new LinuxException("descriptor", LinuxErrno.EBADF, Integer.toString(number));
        }
        return new Descriptor(number);
    }

    /**
     * The number, for calls that take one; keep this object alive and open while it is used.
     *
     * @throws LinuxException EBADF once closed
     */
    public int number() {
        int fd = number.get();
        if (fd == CLOSED) {
            throw new LinuxException("descriptor", LinuxErrno.EBADF, "closed");
        }
        return fd;
    }

    public boolean isOpen() {
        return number.get() != CLOSED;
    }

    /** The number, which the caller must close from now on. */
    public int release() {
        int fd = number.getAndSet(CLOSED);
        if (fd == CLOSED) {
            throw new LinuxException("descriptor", LinuxErrno.EBADF, "closed");
        }
        return fd;
    }

    /** Another descriptor of the same open file, closed on exec. */
    public Descriptor duplicate() {
        return own(fcntl(number(), F_DUPFD_CLOEXEC, 0));
    }

    /** Sets flags of fcntl(F_SETFL) beside those that are set, such as O_NONBLOCK. */
    public void addStatusFlags(int flags) {
        fcntl(number(), F_SETFL, fcntl(number(), F_GETFL, 0) | flags);
    }

    public void removeStatusFlags(int flags) {
        fcntl(number(), F_SETFL, fcntl(number(), F_GETFL, 0) & ~flags);
    }

    private static int fcntl(int fd, int command, long argument) {
        try (Scratch scratch = Scratch.take()) {
            return Call.ints("fcntl", null, Fcntl.HANDLE, scratch, fd, command, argument, 0);
        }
    }

    /** Errors of close(2) are not reported: Linux has closed the descriptor whatever it says. */
    @Override
    public void close() {
        int fd = number.getAndSet(CLOSED);
        if (fd != CLOSED) {
            try (Scratch scratch = Scratch.take()) {
                Native.invoke(Close.HANDLE, scratch, fd, 0, 0, 0, 0, 0);
            }
        }
    }

    @Override
    public String toString() {
        return "descriptor " + number.get();
    }
}
