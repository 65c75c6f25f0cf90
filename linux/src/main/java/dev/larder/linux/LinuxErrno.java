package dev.larder.linux;

import java.util.Map;

/** Error numbers that code decides on. Values: asm-generic/errno-base.h and errno.h, the same on x86-64 and arm64. */
public final class LinuxErrno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EBADF = 9;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int EXDEV = 18;
    public static final int ENODEV = 19;
    public static final int ENOTDIR = 20;
    public static final int EINVAL = 22;
    public static final int EMFILE = 24;
    public static final int ENOTTY = 25;
    public static final int ENOSPC = 28;
    public static final int ESPIPE = 29;
    public static final int EROFS = 30;
    public static final int EPIPE = 32;
    public static final int ENAMETOOLONG = 36;
    public static final int ENOSYS = 38;
    public static final int ENOTEMPTY = 39;
    public static final int ELOOP = 40;
    public static final int EOPNOTSUPP = 95;
    public static final int EADDRINUSE = 98;
    public static final int ECONNABORTED = 103;
    public static final int ECONNRESET = 104;
    public static final int ENOTCONN = 107;
    public static final int ETIMEDOUT = 110;
    public static final int ECONNREFUSED = 111;
    public static final int EDQUOT = 122;

    private static final Map<Integer, String> TEXT = Map.ofEntries(
            Map.entry(EPERM, "EPERM, not permitted (a capability is missing)"),
            Map.entry(ENOENT, "ENOENT, no such file or directory"),
            Map.entry(EINTR, "EINTR, interrupted"),
            Map.entry(EIO, "EIO, input/output error"),
            Map.entry(EBADF, "EBADF, not an open descriptor for this use"),
            Map.entry(EAGAIN, "EAGAIN, would block"),
            Map.entry(ENOMEM, "ENOMEM, out of memory"),
            Map.entry(EACCES, "EACCES, permission denied"),
            Map.entry(EBUSY, "EBUSY, in use"),
            Map.entry(EEXIST, "EEXIST, exists already"),
            Map.entry(EXDEV, "EXDEV, on another file system"),
            Map.entry(ENODEV, "ENODEV, no such device"),
            Map.entry(ENOTDIR, "ENOTDIR, not a directory"),
            Map.entry(EINVAL, "EINVAL, invalid argument"),
            Map.entry(EMFILE, "EMFILE, too many open files (raise the limit: ulimit -n)"),
            Map.entry(ENOTTY, "ENOTTY, the file has no such control"),
            Map.entry(ENOSPC, "ENOSPC, no space left on device"),
            Map.entry(ESPIPE, "ESPIPE, illegal seek"),
            Map.entry(EROFS, "EROFS, read-only file system"),
            Map.entry(EPIPE, "EPIPE, the other side has closed"),
            Map.entry(ENAMETOOLONG, "ENAMETOOLONG, name too long"),
            Map.entry(ENOSYS, "ENOSYS, not in this kernel"),
            Map.entry(ENOTEMPTY, "ENOTEMPTY, directory not empty"),
            Map.entry(ELOOP, "ELOOP, too many levels of links or stacked file systems"),
            Map.entry(EOPNOTSUPP, "EOPNOTSUPP, not supported"),
            Map.entry(EADDRINUSE, "EADDRINUSE, address in use"),
            Map.entry(ECONNABORTED, "ECONNABORTED, connection aborted"),
            Map.entry(ECONNRESET, "ECONNRESET, connection reset"),
            Map.entry(ENOTCONN, "ENOTCONN, not connected"),
            Map.entry(ETIMEDOUT, "ETIMEDOUT, timed out"),
            Map.entry(ECONNREFUSED, "ECONNREFUSED, nobody listens"),
            Map.entry(EDQUOT, "EDQUOT, quota exceeded"));

    private LinuxErrno() {}

    /** For people: "ENOENT, no such file or directory", or "errno 99". */
    public static String describe(int errno) {
        return TEXT.getOrDefault(errno, "errno " + errno);
    }
}
