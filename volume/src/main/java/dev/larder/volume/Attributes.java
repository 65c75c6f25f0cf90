package dev.larder.volume;

/**
 * An inode's attributes, as stat(2) shows them.
 *
 * @param inode persistent inode number; the root is 1; never used twice
 * @param mode type and permission bits, as st_mode
 * @param uid owner, 0 to 2^32 - 1
 * @param gid group, 0 to 2^32 - 1
 * @param nlink POSIX link count
 * @param rdev device number of a special file, as in struct fuse_attr
 * @param size bytes
 * @param allocated bytes that hold data or are preallocated; st_blocks = (allocated + 511) / 512
 * @param version grows with every change of the content
 * @param generation grows with every truncation
 * @param parent the parent of a directory, else 0
 * @param flags bits of {@link #FLAG_DEFAULT_ACL} and the following
 */
public record Attributes(
        long inode,
        int mode,
        long uid,
        long gid,
        int nlink,
        long rdev,
        long size,
        long allocated,
        FileTime atime,
        FileTime mtime,
        FileTime ctime,
        FileTime btime,
        long version,
        long generation,
        long parent,
        int flags) {
    public static final long ROOT = 1;

    /** The directory has a default ACL. */
    public static final int FLAG_DEFAULT_ACL = 1;
    /** The inode has an access ACL beyond its mode. */
    public static final int FLAG_ACCESS_ACL = 2;
    /** The inode has extended attributes (ACLs count). */
    public static final int FLAG_XATTR = 4;

    public static final int S_IFMT = 0xf000;
    public static final int S_IFSOCK = 0xc000;
    public static final int S_IFLNK = 0xa000;
    public static final int S_IFREG = 0x8000;
    public static final int S_IFBLK = 0x6000;
    public static final int S_IFDIR = 0x4000;
    public static final int S_IFCHR = 0x2000;
    public static final int S_IFIFO = 0x1000;

    public boolean isDirectory() {
        return (mode & S_IFMT) == S_IFDIR;
    }

    public boolean isRegular() {
        return (mode & S_IFMT) == S_IFREG;
    }

    public boolean isSymlink() {
        return (mode & S_IFMT) == S_IFLNK;
    }

    /** The type as readdir shows it: DT_DIR and so on of dirent.h. */
    public int direntType() {
        return (mode & S_IFMT) >> 12;
    }
}
