package dev.larder.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Makes a thread of this process return from a blocking call with EINTR. The signal is a real-time one that the JVM does
 * not use; its handler is a function of the C library that does nothing, so no Java code runs in it.
 */
public final class ThreadSignal {
    private static final int SIGNAL = 60;
    private static final int SIGACTION_BYTES = 152;

    private static final class Gettid {
        static final MethodHandle HANDLE = Native.longs("gettid");
    }

    private static final class Tgkill {
        static final MethodHandle HANDLE = Native.longs("tgkill");
    }

    private static final class Sigaction {
        static final MethodHandle HANDLE = Native.longs("sigaction");

        /** struct sigaction of the C library: the handler first; no mask, no SA_RESTART. */
        static void install() {
            try (Scratch scratch = Scratch.take()) {
                MemorySegment action = scratch.allocate(SIGACTION_BYTES);
                action.set(JAVA_LONG, 0, nothing());
                Call.ints("sigaction", null, HANDLE, scratch, SIGNAL, action.address(), 0, 0);
            }
        }

        /** htonl: it changes nothing and may be called from a handler. */
        private static long nothing() {
            return Linker.nativeLinker()
                    .defaultLookup()
                    .find("htonl")
                    .orElseThrow(() -> new LinuxException("htonl", LinuxErrno.ENOSYS))
                    .address();
        }

        static final boolean INSTALLED = installed();

        private static boolean installed() {
            install();
            return true;
        }
    }

    private ThreadSignal() {}

    /** The kernel's number of the calling platform thread; makes it ready to be interrupted. */
    public static int currentThread() {
        if (!Sigaction.INSTALLED) {
            throw new LinuxException("sigaction", LinuxErrno.EINVAL);
        }
        try (Scratch scratch = Scratch.take()) {
            return Call.ints("gettid", null, Gettid.HANDLE, scratch, 0, 0, 0, 0);
        }
    }

    /** Does nothing to a thread that is not in a blocking call, and nothing when it has ended. */
    public static void interrupt(int thread) {
        try (Scratch scratch = Scratch.take()) {
            Native.invoke(Tgkill.HANDLE, scratch, ProcessHandle.current().pid(), thread, SIGNAL, 0, 0, 0);
        }
    }
}
