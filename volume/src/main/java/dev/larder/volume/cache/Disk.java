package dev.larder.volume.cache;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The system calls the cache makes on its files; a seam, so that tests can make a disk fail. Every method throws
 * {@link dev.larder.volume.ErrnoException} with the system's own number. Not affected by thread interrupts.
 */
interface Disk {
    /** Opens for reading and writing, made (0600) when missing. */
    int open(Path path);

    void close(int descriptor);

    /** @return bytes read, less than asked only at the end of the file */
    long read(int descriptor, MemorySegment into, long offset);

    /** All bytes or an exception; some may have been written then. */
    void write(int descriptor, MemorySegment from, long offset);

    /** Gives the blocks back, keeps the length: fallocate(2) PUNCH_HOLE | KEEP_SIZE. */
    void punch(int descriptor, long offset, long length);

    /** Takes real blocks from 0 to length. */
    void allocate(int descriptor, long length);

    void truncate(int descriptor, long length);

    long length(int descriptor);

    Stamp stamp(int descriptor);

    /** fdatasync(2). */
    void force(int descriptor);

    /** syncfs(2) of the directory's file system. */
    void syncAll(Path directory);

    void unlink(Path path);

    Space space(Path directory);

    record Space(long totalBytes, long availableBytes) {}
}
