package dev.larder.linux.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.UnixSocket;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.linux.fuse.Wire.InitIn;
import dev.larder.linux.fuse.Wire.InitOut;
import dev.larder.linux.fuse.Wire.OutHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * Answers the kernel's first request. Never asked for: WRITEBACK_CACHE (silently ends passthrough), OVER_IO_URING (a
 * take-over with requests in flight hangs on 6.18), AUTO_INVAL_DATA (a GETATTR for each read), splice.
 */
public final class FuseInit {
    /** 1 MiB: 256 pages. */
    static final int MAX_WRITE = 1 << 20;

    private static final int MAX_PAGES = 256;
    private static final int PAGES_WITHOUT_FLAG = 32;
    private static final int PAGE = 4096;
    private static final int MAX_BACKGROUND = 64;
    private static final int OLDEST_MINOR = 31;
    private static final int STACK_DEPTH = 1;

    static final long WANTED = InitFlag.ASYNC_READ
            | InitFlag.POSIX_LOCKS
            | InitFlag.FLOCK_LOCKS
            | InitFlag.ATOMIC_O_TRUNC
            | InitFlag.BIG_WRITES
            | InitFlag.DONT_MASK
            | InitFlag.DO_READDIRPLUS
            | InitFlag.READDIRPLUS_AUTO
            | InitFlag.ASYNC_DIO
            | InitFlag.PARALLEL_DIROPS
            | InitFlag.POSIX_ACL
            | InitFlag.MAX_PAGES
            | InitFlag.CACHE_SYMLINKS
            | InitFlag.EXPLICIT_INVAL_DATA
            | InitFlag.HANDLE_KILLPRIV_V2
            | InitFlag.SETXATTR_EXT
            | InitFlag.INIT_EXT
            | InitFlag.HAS_EXPIRE_ONLY
            | InitFlag.DIRECT_IO_ALLOW_MMAP
            | InitFlag.PASSTHROUGH
            | InitFlag.NO_EXPORT_SUPPORT
            | InitFlag.HAS_RESEND;

    private FuseInit() {}

    /**
     * Waits for INIT and answers it with what both sides know.
     *
     * @throws LinuxException ETIMEDOUT; EINVAL when the kernel is older than 5.4 (protocol 7.31); ENODEV when unmounted
     */
    public static Negotiated negotiate(Descriptor device, Duration timeout) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(FuseFlags.MIN_READ_BUFFER + MAX_WRITE, 8);
            readInit(device, request, timeout);
            int minor = request.get(JAVA_INT, InHeader.BYTES + InitIn.MINOR);
            int major = request.get(JAVA_INT, InHeader.BYTES + InitIn.MAJOR);
            if (major != FuseFlags.MAJOR || minor < OLDEST_MINOR) {
                throw new LinuxException(
                        "FUSE INIT",
                        LinuxErrno.EINVAL,
                        "protocol " + major + "." + minor + " of this kernel; Larder needs 7." + OLDEST_MINOR
                                + ", Linux 5.4 or newer");
            }
            Negotiated negotiated = settle(
                    minor,
                    offered(request.asSlice(InHeader.BYTES)),
                    request.get(JAVA_INT, InHeader.BYTES + InitIn.MAX_READAHEAD));
            MemorySegment reply = reply(arena, negotiated, request.get(JAVA_LONG, InHeader.UNIQUE));
            LinuxFile.write(device.number(), reply);
            return negotiated;
        }
    }

    private static void readInit(Descriptor device, MemorySegment request, Duration timeout) {
        if (!UnixSocket.awaitReadable(device.number(), timeout)) {
            throw new LinuxException("FUSE INIT", LinuxErrno.ETIMEDOUT, "the kernel sent no request");
        }
        LinuxFile.read(device.number(), request);
        int opcode = request.get(JAVA_INT, InHeader.OPCODE);
        if (opcode != Opcode.INIT) {
            throw new LinuxException(
                    "FUSE INIT", LinuxErrno.EINVAL, "got " + Opcode.name(opcode) + ": answered already");
        }
    }

    static long offered(MemorySegment init) {
        long low = Integer.toUnsignedLong(init.get(JAVA_INT, InitIn.FLAGS));
        boolean extended = (low & InitFlag.INIT_EXT) != 0;
        return extended ? low | (long) init.get(JAVA_INT, InitIn.FLAGS2) << 32 : low;
    }

    static Negotiated settle(int kernelMinor, long offered, int maxReadahead) {
        long flags = offered & WANTED;
        int pages = (flags & InitFlag.MAX_PAGES) != 0 ? MAX_PAGES : PAGES_WITHOUT_FLAG;
        return new Negotiated(kernelMinor, flags, Math.min(MAX_WRITE, pages * PAGE), maxReadahead);
    }

    private static MemorySegment reply(Arena arena, Negotiated negotiated, long unique) {
        MemorySegment reply = arena.allocate(OutHeader.BYTES + InitOut.BYTES, 8);
        reply.set(JAVA_INT, OutHeader.LEN, (int) reply.byteSize());
        reply.set(JAVA_LONG, OutHeader.UNIQUE, unique);
        MemorySegment out = reply.asSlice(OutHeader.BYTES);
        out.set(JAVA_INT, InitOut.MAJOR, FuseFlags.MAJOR);
        out.set(JAVA_INT, InitOut.MINOR, FuseFlags.MINOR);
        out.set(JAVA_INT, InitOut.MAX_READAHEAD, negotiated.maxReadahead());
        out.set(JAVA_INT, InitOut.FLAGS, (int) negotiated.flags());
        out.set(JAVA_INT, InitOut.FLAGS2, (int) (negotiated.flags() >>> 32));
        out.set(JAVA_SHORT, InitOut.MAX_BACKGROUND, (short) MAX_BACKGROUND);
        out.set(JAVA_SHORT, InitOut.CONGESTION_THRESHOLD, (short) (MAX_BACKGROUND * 3 / 4));
        out.set(JAVA_INT, InitOut.MAX_WRITE, negotiated.maxWrite());
        out.set(JAVA_INT, InitOut.TIME_GRAN, 1);
        out.set(JAVA_SHORT, InitOut.MAX_PAGES, (short) (negotiated.maxWrite() / PAGE));
        boolean passthrough = negotiated.has(InitFlag.PASSTHROUGH);
        out.set(JAVA_INT, InitOut.MAX_STACK_DEPTH, passthrough ? STACK_DEPTH : 0);
        return reply;
    }
}
