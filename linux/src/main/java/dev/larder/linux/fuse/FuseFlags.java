package dev.larder.linux.fuse;

/** Flags, codes and ioctls of linux/fuse.h beside opcodes and INIT. */
public final class FuseFlags {
    public static final int FATTR_MODE = 1;
    public static final int FATTR_UID = 1 << 1;
    public static final int FATTR_GID = 1 << 2;
    public static final int FATTR_SIZE = 1 << 3;
    public static final int FATTR_ATIME = 1 << 4;
    public static final int FATTR_MTIME = 1 << 5;
    public static final int FATTR_FH = 1 << 6;
    public static final int FATTR_ATIME_NOW = 1 << 7;
    public static final int FATTR_MTIME_NOW = 1 << 8;
    public static final int FATTR_LOCKOWNER = 1 << 9;
    public static final int FATTR_CTIME = 1 << 10;
    public static final int FATTR_KILL_SUIDGID = 1 << 11;

    public static final int FOPEN_DIRECT_IO = 1;
    public static final int FOPEN_KEEP_CACHE = 1 << 1;
    public static final int FOPEN_NONSEEKABLE = 1 << 2;
    public static final int FOPEN_CACHE_DIR = 1 << 3;
    public static final int FOPEN_NOFLUSH = 1 << 5;
    public static final int FOPEN_PARALLEL_DIRECT_WRITES = 1 << 6;
    public static final int FOPEN_PASSTHROUGH = 1 << 7;

    public static final int OPEN_KILL_SUIDGID = 1;
    public static final int RELEASE_FLUSH = 1;
    public static final int RELEASE_FLOCK_UNLOCK = 1 << 1;
    public static final int GETATTR_FH = 1;
    public static final int LK_FLOCK = 1;
    public static final int WRITE_CACHE = 1;
    public static final int WRITE_LOCKOWNER = 1 << 1;
    public static final int WRITE_KILL_SUIDGID = 1 << 2;
    public static final int FSYNC_FDATASYNC = 1;
    public static final int SETXATTR_ACL_KILL_SGID = 1;
    public static final int EXPIRE_ONLY = 1;

    public static final int NOTIFY_INVAL_INODE = 2;
    public static final int NOTIFY_INVAL_ENTRY = 3;
    /** Linux 6.9. */
    public static final int NOTIFY_RESEND = 7;
    /** Linux 6.17, protocol 7.44: every name in the kernel's cache is looked up again. */
    public static final int NOTIFY_INC_EPOCH = 8;

    /** Marks a request that was sent before, to a server that died. */
    public static final long UNIQUE_RESEND = 1L << 63;

    /** _IOR(229, 0, uint32_t). */
    public static final int IOC_CLONE = 0x8004E500;
    /** _IOW(229, 1, struct fuse_backing_map). */
    public static final int IOC_BACKING_OPEN = 0x4010E501;
    /** _IOW(229, 2, uint32_t). */
    public static final int IOC_BACKING_CLOSE = 0x4004E502;

    public static final int MIN_READ_BUFFER = 8192;
    public static final int MAJOR = 7;
    public static final int MINOR = 45;

    private FuseFlags() {}
}
