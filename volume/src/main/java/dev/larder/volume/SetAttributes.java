package dev.larder.volume;

/**
 * A change of attributes; a null member is left as it is. All members of one change are applied together.
 *
 * @param mode permission bits, 12 of them
 * @param size a new size: bytes beyond it are cut off for good
 * @param ctime always given: the time of the change
 * @param killSuidgid clear set-user-id, and set-group-id of an executable, as a write by another user does
 */
public record SetAttributes(
        Integer mode,
        Long uid,
        Long gid,
        Long size,
        FileTime atime,
        FileTime mtime,
        FileTime ctime,
        boolean killSuidgid) {}
