package dev.larder.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Binds functions of the C library. Binding a new shape costs about 10 ms of a cold JVM, so all functions share four:
 * on x86-64 and arm64 an int argument may be passed as a long and surplus register arguments are ignored. Each handle
 * sits in a holder class of its own and is bound at its first use.
 */
final class Native {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");

    static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    static final boolean ARM64 = System.getProperty("os.arch").equals("aarch64");

    private static final FunctionDescriptor LONGS =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor BUFFER =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);

    private Native() {}

    /** {@code long f(state, six longs)}. */
    static MethodHandle longs(String name) {
        return bind(name, LONGS, CAPTURE);
    }

    /** As {@link #longs}, for functions that are variadic after two arguments. */
    static MethodHandle variadic2(String name) {
        return bind(name, LONGS, CAPTURE, Linker.Option.firstVariadicArg(2));
    }

    /** As {@link #longs}, for functions that are variadic after three arguments. */
    static MethodHandle variadic3(String name) {
        return bind(name, LONGS, CAPTURE, Linker.Option.firstVariadicArg(3));
    }

    /** {@code long f(state, descriptor, buffer, long, long)}: the buffer cannot be freed under the call. */
    static MethodHandle buffer(String name) {
        return bind(name, BUFFER, CAPTURE);
    }

    private static MethodHandle bind(String name, FunctionDescriptor shape, Linker.Option... options) {
        MemorySegment address = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new LinuxException(name, LinuxErrno.ENOSYS, "not in this C library"));
        return LINKER.downcallHandle(address, shape, options);
    }

    static long invoke(MethodHandle handle, Scratch scratch, long a, long b, long c, long d, long e, long f) {
        try {
            return (long) handle.invokeExact(scratch.state, a, b, c, d, e, f);
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static long invoke(MethodHandle handle, Scratch scratch, long fd, MemorySegment buffer, long a, long b) {
        try {
            return (long) handle.invokeExact(scratch.state, fd, buffer, a, b);
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    private static RuntimeException broken(Throwable t) {
        return t instanceof RuntimeException e ? e : new IllegalStateException("a native call could not be made", t);
    }
}
