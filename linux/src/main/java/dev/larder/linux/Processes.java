package dev.larder.linux;

import java.lang.invoke.MethodHandle;

/** Identity and signals. */
public final class Processes {
    public static final int SIGTERM = 15;
    public static final int SIGKILL = 9;

    private static final int PR_SET_PDEATHSIG = 1;

    private static final class Geteuid {
        static final MethodHandle HANDLE = Native.longs("geteuid");
    }

    private static final class Getegid {
        static final MethodHandle HANDLE = Native.longs("getegid");
    }

    private static final class Kill {
        static final MethodHandle HANDLE = Native.longs("kill");
    }

    private static final class Prctl {
        static final MethodHandle HANDLE = Native.longs("prctl");
    }

    private Processes() {}

    public static long effectiveUser() {
        try (Scratch scratch = Scratch.take()) {
            return Native.invoke(Geteuid.HANDLE, scratch, 0, 0, 0, 0, 0, 0) & 0xffffffffL;
        }
    }

    public static long effectiveGroup() {
        try (Scratch scratch = Scratch.take()) {
            return Native.invoke(Getegid.HANDLE, scratch, 0, 0, 0, 0, 0, 0) & 0xffffffffL;
        }
    }

    /** @param signal 0 only asks whether the process is there */
    public static void kill(int pid, int signal) {
        try (Scratch scratch = Scratch.take()) {
            Call.ints("kill", Integer.toString(pid), Kill.HANDLE, scratch, pid, signal, 0, 0);
        }
    }

    /** The kernel sends {@code signal} to this process when the thread that started it ends; prctl(2). */
    public static void signalOnParentDeath(int signal) {
        try (Scratch scratch = Scratch.take()) {
            Call.ints("prctl", null, Prctl.HANDLE, scratch, PR_SET_PDEATHSIG, signal, 0, 0);
        }
    }
}
