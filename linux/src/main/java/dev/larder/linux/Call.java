package dev.larder.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Makes calls and turns -1 into {@link LinuxException}; a call that a signal interrupted is made again. */
final class Call {
    private Call() {}

    /** A function that returns an int. */
    static int ints(String name, String subject, MethodHandle handle, Scratch scratch, long a, long b, long c, long d) {
        while (true) {
            int result = (int) Native.invoke(handle, scratch, a, b, c, d, 0, 0);
            if (result != -1) {
                return result;
            }
            interruptedOrThrow(name, subject, scratch);
        }
    }

    /** A function that returns a long (ssize_t, off_t, a pointer). */
    static long longs(
            String name, MethodHandle handle, Scratch scratch, long a, long b, long c, long d, long e, long f) {
        while (true) {
            long result = Native.invoke(handle, scratch, a, b, c, d, e, f);
            if (result != -1) {
                return result;
            }
            interruptedOrThrow(name, null, scratch);
        }
    }

    /** A function of a descriptor and a buffer that returns a long. */
    static long buffer(String name, MethodHandle handle, long fd, MemorySegment buffer, long a, long b) {
        try (Scratch scratch = Scratch.take()) {
            while (true) {
                long result = Native.invoke(handle, scratch, fd, buffer, a, b);
                if (result != -1) {
                    return result;
                }
                interruptedOrThrow(name, null, scratch);
            }
        }
    }

    private static void interruptedOrThrow(String name, String subject, Scratch scratch) {
        int errno = scratch.errno();
        if (errno != LinuxErrno.EINTR) {
            throw new LinuxException(name, errno, subject);
        }
    }
}
