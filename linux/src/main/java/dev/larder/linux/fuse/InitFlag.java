package dev.larder.linux.fuse;

/** Flags of INIT (fuse_init_in, fuse_init_out): bits 0 to 31 in flags, 32 to 63 in flags2; with the kernel that brought each. */
public final class InitFlag {
    /** Linux 2.6.20: reads of one file at the same time. */
    public static final long ASYNC_READ = 1L << 0;

    /** Linux 2.6.24: fcntl locks come to the server. */
    public static final long POSIX_LOCKS = 1L << 1;

    /** Linux 2.6.27: O_TRUNC reaches OPEN and CREATE as a flag. */
    public static final long ATOMIC_O_TRUNC = 1L << 3;

    /** Linux 2.6.27: look-ups of "." and ".." by node id, for NFS. */
    public static final long EXPORT_SUPPORT = 1L << 4;

    /** Linux 2.6.27: writes of more than a page. */
    public static final long BIG_WRITES = 1L << 5;

    /** Linux 2.6.32: the server applies the umask. */
    public static final long DONT_MASK = 1L << 6;

    /** Linux 2.6.35: replies by splice. */
    public static final long SPLICE_WRITE = 1L << 7;

    /** Linux 2.6.35: replies by moving pages. */
    public static final long SPLICE_MOVE = 1L << 8;

    /** Linux 2.6.35: requests by splice. */
    public static final long SPLICE_READ = 1L << 9;

    /** Linux 3.1: flock locks come to the server. */
    public static final long FLOCK_LOCKS = 1L << 10;

    /** Linux 3.2: ioctl on directories. */
    public static final long HAS_IOCTL_DIR = 1L << 11;

    /** Linux 3.5: pages drop when size or mtime changes. */
    public static final long AUTO_INVAL_DATA = 1L << 12;

    /** Linux 3.9: READDIRPLUS. */
    public static final long DO_READDIRPLUS = 1L << 13;

    /** Linux 3.9: READDIRPLUS only while it pays. */
    public static final long READDIRPLUS_AUTO = 1L << 14;

    /** Linux 3.10: direct I/O in parallel requests. */
    public static final long ASYNC_DIO = 1L << 15;

    /** Linux 3.15: the kernel collects writes; turns passthrough off. */
    public static final long WRITEBACK_CACHE = 1L << 16;

    /** Linux 3.15: ENOSYS to OPEN ends OPEN. */
    public static final long NO_OPEN_SUPPORT = 1L << 17;

    /** Linux 4.7: look-ups and listings of one directory in parallel. */
    public static final long PARALLEL_DIROPS = 1L << 18;

    /** Linux 4.9: the server clears suid and sgid. */
    public static final long HANDLE_KILLPRIV = 1L << 19;

    /** Linux 4.9: ACLs are checked by the kernel. */
    public static final long POSIX_ACL = 1L << 20;

    /** Linux 4.19: ECONNABORTED after an abort. */
    public static final long ABORT_ERROR = 1L << 21;

    /** Linux 4.20: requests of more than 32 pages. */
    public static final long MAX_PAGES = 1L << 22;

    /** Linux 4.20: targets of symlinks are cached. */
    public static final long CACHE_SYMLINKS = 1L << 23;

    /** Linux 5.1: ENOSYS to OPENDIR ends OPENDIR. */
    public static final long NO_OPENDIR_SUPPORT = 1L << 24;

    /** Linux 5.2: pages drop only when the server says so. */
    public static final long EXPLICIT_INVAL_DATA = 1L << 25;

    /** Linux 5.11: the server is told when to clear suid and sgid. */
    public static final long HANDLE_KILLPRIV_V2 = 1L << 28;

    /** Linux 5.12: SETXATTR carries flags. */
    public static final long SETXATTR_EXT = 1L << 29;

    /** Linux 5.17: flags2 of INIT is valid. */
    public static final long INIT_EXT = 1L << 30;

    /** Linux 6.2: INVAL_ENTRY can expire instead of drop. */
    public static final long HAS_EXPIRE_ONLY = 1L << 35;

    /** Linux 6.6: shared mappings of files open for direct I/O. */
    public static final long DIRECT_IO_ALLOW_MMAP = 1L << 36;

    /** Linux 6.9: files served from backing files. */
    public static final long PASSTHROUGH = 1L << 37;

    /** Linux 6.9: file handles cannot be made. */
    public static final long NO_EXPORT_SUPPORT = 1L << 38;

    /** Linux 6.9: NOTIFY_RESEND; bit 63 of unique marks a resent request. */
    public static final long HAS_RESEND = 1L << 39;

    /** Linux 6.12: idmapped mounts. */
    public static final long ALLOW_IDMAP = 1L << 40;

    /** Linux 6.14: requests over io_uring. */
    public static final long OVER_IO_URING = 1L << 41;

    private InitFlag() {}
}
