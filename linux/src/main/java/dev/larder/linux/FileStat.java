package dev.larder.linux;

/**
 * What statx(2) tells of a file.
 *
 * @param allocated bytes on the disk: 512 times st_blocks
 * @param mtimeNanos nanoseconds since the epoch
 * @param ctimeNanos nanoseconds since the epoch
 * @param device major * 2^32 + minor: tells file systems apart
 */
public record FileStat(
        long inode,
        int mode,
        int nlink,
        int uid,
        int gid,
        long size,
        long allocated,
        long mtimeNanos,
        long ctimeNanos,
        long device) {}
