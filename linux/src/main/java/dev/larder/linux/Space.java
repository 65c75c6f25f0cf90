package dev.larder.linux;

/**
 * What fstatvfs(3) tells of a file system.
 *
 * @param freeBytes free for root
 * @param availableBytes free for everybody
 */
public record Space(long totalBytes, long freeBytes, long availableBytes, long inodes, long freeInodes) {}
