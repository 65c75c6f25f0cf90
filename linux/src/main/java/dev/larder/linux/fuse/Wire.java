package dev.larder.linux.fuse;

/** The structs of linux/fuse.h: for each its size and the offsets of its members, which a test holds against the C header. */
public final class Wire {
    private Wire() {}

    /** struct fuse_in_header. What every request begins with. */
    public static final class InHeader {
        public static final int BYTES = 40;
        public static final int LEN = 0;
        public static final int OPCODE = 4;
        public static final int UNIQUE = 8;
        public static final int NODEID = 16;
        public static final int UID = 24;
        public static final int GID = 28;
        public static final int PID = 32;
        public static final int TOTAL_EXTLEN = 36;

        private InHeader() {}
    }

    /** struct fuse_out_header. What every reply and notification begins with; error is minus errno, or a notification's code. */
    public static final class OutHeader {
        public static final int BYTES = 16;
        public static final int LEN = 0;
        public static final int ERROR = 4;
        public static final int UNIQUE = 8;

        private OutHeader() {}
    }

    /** struct fuse_init_in. */
    public static final class InitIn {
        public static final int BYTES = 64;
        public static final int MAJOR = 0;
        public static final int MINOR = 4;
        public static final int MAX_READAHEAD = 8;
        public static final int FLAGS = 12;
        public static final int FLAGS2 = 16;

        private InitIn() {}
    }

    /** struct fuse_init_out. */
    public static final class InitOut {
        public static final int BYTES = 64;
        public static final int MAJOR = 0;
        public static final int MINOR = 4;
        public static final int MAX_READAHEAD = 8;
        public static final int FLAGS = 12;
        public static final int MAX_BACKGROUND = 16;
        public static final int CONGESTION_THRESHOLD = 18;
        public static final int MAX_WRITE = 20;
        public static final int TIME_GRAN = 24;
        public static final int MAX_PAGES = 28;
        public static final int MAP_ALIGNMENT = 30;
        public static final int FLAGS2 = 32;
        public static final int MAX_STACK_DEPTH = 36;
        public static final int REQUEST_TIMEOUT = 40;

        private InitOut() {}
    }

    /** struct fuse_attr. */
    public static final class Attr {
        public static final int BYTES = 88;
        public static final int INO = 0;
        public static final int SIZE = 8;
        public static final int BLOCKS = 16;
        public static final int ATIME = 24;
        public static final int MTIME = 32;
        public static final int CTIME = 40;
        public static final int ATIMENSEC = 48;
        public static final int MTIMENSEC = 52;
        public static final int CTIMENSEC = 56;
        public static final int MODE = 60;
        public static final int NLINK = 64;
        public static final int UID = 68;
        public static final int GID = 72;
        public static final int RDEV = 76;
        public static final int BLKSIZE = 80;
        public static final int FLAGS = 84;

        private Attr() {}
    }

    /** struct fuse_entry_out. */
    public static final class EntryOut {
        public static final int BYTES = 128;
        public static final int NODEID = 0;
        public static final int GENERATION = 8;
        public static final int ENTRY_VALID = 16;
        public static final int ATTR_VALID = 24;
        public static final int ENTRY_VALID_NSEC = 32;
        public static final int ATTR_VALID_NSEC = 36;
        public static final int ATTR = 40;

        private EntryOut() {}
    }

    /** struct fuse_attr_out. */
    public static final class AttrOut {
        public static final int BYTES = 104;
        public static final int ATTR_VALID = 0;
        public static final int ATTR_VALID_NSEC = 8;
        public static final int ATTR = 16;

        private AttrOut() {}
    }

    /** struct fuse_forget_in. */
    public static final class ForgetIn {
        public static final int BYTES = 8;
        public static final int NLOOKUP = 0;

        private ForgetIn() {}
    }

    /** struct fuse_forget_one. */
    public static final class ForgetOne {
        public static final int BYTES = 16;
        public static final int NODEID = 0;
        public static final int NLOOKUP = 8;

        private ForgetOne() {}
    }

    /** struct fuse_batch_forget_in. */
    public static final class BatchForgetIn {
        public static final int BYTES = 8;
        public static final int COUNT = 0;

        private BatchForgetIn() {}
    }

    /** struct fuse_getattr_in. */
    public static final class GetattrIn {
        public static final int BYTES = 16;
        public static final int GETATTR_FLAGS = 0;
        public static final int FH = 8;

        private GetattrIn() {}
    }

    /** struct fuse_mknod_in. */
    public static final class MknodIn {
        public static final int BYTES = 16;
        public static final int MODE = 0;
        public static final int RDEV = 4;
        public static final int UMASK = 8;

        private MknodIn() {}
    }

    /** struct fuse_mkdir_in. */
    public static final class MkdirIn {
        public static final int BYTES = 8;
        public static final int MODE = 0;
        public static final int UMASK = 4;

        private MkdirIn() {}
    }

    /** struct fuse_rename_in. */
    public static final class RenameIn {
        public static final int BYTES = 8;
        public static final int NEWDIR = 0;

        private RenameIn() {}
    }

    /** struct fuse_rename2_in. */
    public static final class Rename2In {
        public static final int BYTES = 16;
        public static final int NEWDIR = 0;
        public static final int FLAGS = 8;

        private Rename2In() {}
    }

    /** struct fuse_link_in. */
    public static final class LinkIn {
        public static final int BYTES = 8;
        public static final int OLDNODEID = 0;

        private LinkIn() {}
    }

    /** struct fuse_setattr_in. */
    public static final class SetattrIn {
        public static final int BYTES = 88;
        public static final int VALID = 0;
        public static final int FH = 8;
        public static final int SIZE = 16;
        public static final int LOCK_OWNER = 24;
        public static final int ATIME = 32;
        public static final int MTIME = 40;
        public static final int CTIME = 48;
        public static final int ATIMENSEC = 56;
        public static final int MTIMENSEC = 60;
        public static final int CTIMENSEC = 64;
        public static final int MODE = 68;
        public static final int UID = 76;
        public static final int GID = 80;

        private SetattrIn() {}
    }

    /** struct fuse_open_in. */
    public static final class OpenIn {
        public static final int BYTES = 8;
        public static final int FLAGS = 0;
        public static final int OPEN_FLAGS = 4;

        private OpenIn() {}
    }

    /** struct fuse_create_in. CREATE and TMPFILE. */
    public static final class CreateIn {
        public static final int BYTES = 16;
        public static final int FLAGS = 0;
        public static final int MODE = 4;
        public static final int UMASK = 8;
        public static final int OPEN_FLAGS = 12;

        private CreateIn() {}
    }

    /** struct fuse_open_out. Since 7.40 the padding is backing_id. */
    public static final class OpenOut {
        public static final int BYTES = 16;
        public static final int FH = 0;
        public static final int OPEN_FLAGS = 8;
        public static final int BACKING_ID = 12;

        private OpenOut() {}
    }

    /** struct fuse_release_in. */
    public static final class ReleaseIn {
        public static final int BYTES = 24;
        public static final int FH = 0;
        public static final int FLAGS = 8;
        public static final int RELEASE_FLAGS = 12;
        public static final int LOCK_OWNER = 16;

        private ReleaseIn() {}
    }

    /** struct fuse_flush_in. */
    public static final class FlushIn {
        public static final int BYTES = 24;
        public static final int FH = 0;
        public static final int LOCK_OWNER = 16;

        private FlushIn() {}
    }

    /** struct fuse_read_in. READ, READDIR and READDIRPLUS. */
    public static final class ReadIn {
        public static final int BYTES = 40;
        public static final int FH = 0;
        public static final int OFFSET = 8;
        public static final int SIZE = 16;
        public static final int READ_FLAGS = 20;
        public static final int LOCK_OWNER = 24;
        public static final int FLAGS = 32;

        private ReadIn() {}
    }

    /** struct fuse_write_in. */
    public static final class WriteIn {
        public static final int BYTES = 40;
        public static final int FH = 0;
        public static final int OFFSET = 8;
        public static final int SIZE = 16;
        public static final int WRITE_FLAGS = 20;
        public static final int LOCK_OWNER = 24;
        public static final int FLAGS = 32;

        private WriteIn() {}
    }

    /** struct fuse_write_out. */
    public static final class WriteOut {
        public static final int BYTES = 8;
        public static final int SIZE = 0;

        private WriteOut() {}
    }

    /** struct fuse_kstatfs. fuse_statfs_out holds just this. */
    public static final class Kstatfs {
        public static final int BYTES = 80;
        public static final int BLOCKS = 0;
        public static final int BFREE = 8;
        public static final int BAVAIL = 16;
        public static final int FILES = 24;
        public static final int FFREE = 32;
        public static final int BSIZE = 40;
        public static final int NAMELEN = 44;
        public static final int FRSIZE = 48;

        private Kstatfs() {}
    }

    /** struct fuse_fsync_in. */
    public static final class FsyncIn {
        public static final int BYTES = 16;
        public static final int FH = 0;
        public static final int FSYNC_FLAGS = 8;

        private FsyncIn() {}
    }

    /** struct fuse_setxattr_in. With SETXATTR_EXT; without it the request ends after flags (8 bytes). */
    public static final class SetxattrIn {
        public static final int BYTES = 16;
        public static final int SIZE = 0;
        public static final int FLAGS = 4;
        public static final int SETXATTR_FLAGS = 8;

        private SetxattrIn() {}
    }

    /** struct fuse_getxattr_in. GETXATTR and LISTXATTR. */
    public static final class GetxattrIn {
        public static final int BYTES = 8;
        public static final int SIZE = 0;

        private GetxattrIn() {}
    }

    /** struct fuse_getxattr_out. */
    public static final class GetxattrOut {
        public static final int BYTES = 8;
        public static final int SIZE = 0;

        private GetxattrOut() {}
    }

    /** struct fuse_file_lock. fuse_lk_out holds just this. */
    public static final class FileLock {
        public static final int BYTES = 24;
        public static final int START = 0;
        public static final int END = 8;
        public static final int TYPE = 16;
        public static final int PID = 20;

        private FileLock() {}
    }

    /** struct fuse_lk_in. */
    public static final class LkIn {
        public static final int BYTES = 48;
        public static final int FH = 0;
        public static final int OWNER = 8;
        public static final int LK = 16;
        public static final int LK_FLAGS = 40;

        private LkIn() {}
    }

    /** struct fuse_access_in. */
    public static final class AccessIn {
        public static final int BYTES = 8;
        public static final int MASK = 0;

        private AccessIn() {}
    }

    /** struct fuse_interrupt_in. */
    public static final class InterruptIn {
        public static final int BYTES = 8;
        public static final int UNIQUE = 0;

        private InterruptIn() {}
    }

    /** struct fuse_ioctl_in. */
    public static final class IoctlIn {
        public static final int BYTES = 32;
        public static final int FH = 0;
        public static final int FLAGS = 8;
        public static final int CMD = 12;
        public static final int ARG = 16;
        public static final int IN_SIZE = 24;
        public static final int OUT_SIZE = 28;

        private IoctlIn() {}
    }

    /** struct fuse_fallocate_in. */
    public static final class FallocateIn {
        public static final int BYTES = 32;
        public static final int FH = 0;
        public static final int OFFSET = 8;
        public static final int LENGTH = 16;
        public static final int MODE = 24;

        private FallocateIn() {}
    }

    /** struct fuse_dirent. The name follows; entries are padded to 8 bytes. */
    public static final class Dirent {
        public static final int BYTES = 24;
        public static final int INO = 0;
        public static final int OFF = 8;
        public static final int NAMELEN = 16;
        public static final int TYPE = 20;

        private Dirent() {}
    }

    /** struct fuse_direntplus. The name follows; entries are padded to 8 bytes. */
    public static final class Direntplus {
        public static final int BYTES = 152;
        public static final int ENTRY_OUT = 0;
        public static final int DIRENT = 128;

        private Direntplus() {}
    }

    /** struct fuse_lseek_in. */
    public static final class LseekIn {
        public static final int BYTES = 24;
        public static final int FH = 0;
        public static final int OFFSET = 8;
        public static final int WHENCE = 16;

        private LseekIn() {}
    }

    /** struct fuse_lseek_out. */
    public static final class LseekOut {
        public static final int BYTES = 8;
        public static final int OFFSET = 0;

        private LseekOut() {}
    }

    /** struct fuse_copy_file_range_in. */
    public static final class CopyFileRangeIn {
        public static final int BYTES = 56;
        public static final int FH_IN = 0;
        public static final int OFF_IN = 8;
        public static final int NODEID_OUT = 16;
        public static final int FH_OUT = 24;
        public static final int OFF_OUT = 32;
        public static final int LEN = 40;
        public static final int FLAGS = 48;

        private CopyFileRangeIn() {}
    }

    /** struct fuse_copy_file_range_out. Since 7.45. */
    public static final class CopyFileRangeOut {
        public static final int BYTES = 8;
        public static final int BYTES_COPIED = 0;

        private CopyFileRangeOut() {}
    }

    /** struct fuse_syncfs_in. */
    public static final class SyncfsIn {
        public static final int BYTES = 8;

        private SyncfsIn() {}
    }

    /** struct fuse_statx_in. Since 7.39. */
    public static final class StatxIn {
        public static final int BYTES = 24;
        public static final int GETATTR_FLAGS = 0;
        public static final int FH = 8;
        public static final int SX_FLAGS = 16;
        public static final int SX_MASK = 20;

        private StatxIn() {}
    }

    /** struct fuse_statx_out. Since 7.39; stat is struct fuse_statx. */
    public static final class StatxOut {
        public static final int BYTES = 288;
        public static final int ATTR_VALID = 0;
        public static final int ATTR_VALID_NSEC = 8;
        public static final int FLAGS = 12;
        public static final int STAT = 32;

        private StatxOut() {}
    }

    /** struct fuse_statx. Since 7.39. */
    public static final class Statx {
        public static final int BYTES = 256;
        public static final int MASK = 0;
        public static final int BLKSIZE = 4;
        public static final int ATTRIBUTES = 8;
        public static final int NLINK = 16;
        public static final int UID = 20;
        public static final int GID = 24;
        public static final int MODE = 28;
        public static final int INO = 32;
        public static final int SIZE = 40;
        public static final int BLOCKS = 48;
        public static final int ATTRIBUTES_MASK = 56;
        public static final int ATIME = 64;
        public static final int BTIME = 80;
        public static final int CTIME = 96;
        public static final int MTIME = 112;
        public static final int RDEV_MAJOR = 128;
        public static final int RDEV_MINOR = 132;
        public static final int DEV_MAJOR = 136;
        public static final int DEV_MINOR = 140;

        private Statx() {}
    }

    /** struct fuse_sx_time. Since 7.39. */
    public static final class SxTime {
        public static final int BYTES = 16;
        public static final int TV_SEC = 0;
        public static final int TV_NSEC = 8;

        private SxTime() {}
    }

    /** struct fuse_notify_inval_inode_out. */
    public static final class InvalInode {
        public static final int BYTES = 24;
        public static final int INO = 0;
        public static final int OFF = 8;
        public static final int LEN = 16;

        private InvalInode() {}
    }

    /** struct fuse_notify_inval_entry_out. The name and a NUL follow. */
    public static final class InvalEntry {
        public static final int BYTES = 16;
        public static final int PARENT = 0;
        public static final int NAMELEN = 8;
        public static final int FLAGS = 12;

        private InvalEntry() {}
    }

    /** struct fuse_backing_map. Since 7.40: argument of the ioctl BACKING_OPEN. */
    public static final class BackingMap {
        public static final int BYTES = 16;
        public static final int FD = 0;
        public static final int FLAGS = 4;
        public static final int PADDING = 8;

        private BackingMap() {}
    }
}
