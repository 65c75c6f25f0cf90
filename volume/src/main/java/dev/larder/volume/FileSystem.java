package dev.larder.volume;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One mounted volume, as its transport (FUSE, jnr-fuse) drives it. Inode numbers are the kernel's node ids. Every method
 * may be called from many threads and may block on the database or the store, each with a deadline; failures are
 * {@link ErrnoException} and nothing else. The kernel has checked permissions (default_permissions).
 *
 * <p>A file handle carries no state that a successor could not rebuild: it is the {@link Opened#handle} bits.
 */
public interface FileSystem extends AutoCloseable {
    /** Handle bit: opened for writing. */
    long HANDLE_WRITE = 1;
    /** Handle bit: O_APPEND. */
    long HANDLE_APPEND = 2;
    /** Handle bit: opened in passthrough mode. */
    long HANDLE_PASSTHROUGH = 4;

    /** How long the kernel may keep names and attributes, milliseconds; 0 while the change feed is silent. */
    long kernelTimeoutMillis();

    /**
     * A name's attributes; the kernel then holds one lookup of the inode.
     *
     * @throws ErrnoException ENOENT, which the kernel may remember for {@link #kernelTimeoutMillis}
     */
    Attributes lookup(Caller caller, long parent, FileName name);

    /** The kernel drops {@code lookups} of its lookups of the inode. */
    void forget(long inode, long lookups);

    Attributes attributes(Caller caller, long inode);

    /** @param handle the open file that ftruncate and friends name, or 0 */
    Attributes setAttributes(Op op, Caller caller, long inode, long handle, SetAttributes change);

    byte[] readlink(Caller caller, long inode);

    /**
     * A directory, special file or empty regular file.
     *
     * @param mode type and permissions; {@code umask} is applied here, unless the parent has a default ACL
     */
    Attributes mknod(Op op, Caller caller, long parent, FileName name, int mode, long rdev, int umask);

    Attributes symlink(Op op, Caller caller, long parent, FileName name, byte[] target);

    Attributes link(Op op, Caller caller, long inode, long newParent, FileName newName);

    void unlink(Op op, Caller caller, long parent, FileName name);

    void rmdir(Op op, Caller caller, long parent, FileName name);

    /**
     * Atomic.
     *
     * @param flags RENAME_NOREPLACE 1, RENAME_EXCHANGE 2; others give EINVAL
     */
    void rename(Op op, Caller caller, long parent, FileName name, long newParent, FileName newName, int flags);

    /** @param flags open(2)'s; O_TRUNC has been taken out by the kernel unless it was negotiated */
    Opened open(Op op, Caller caller, long inode, int flags);

    /** Makes and opens a regular file, or opens the one that is there unless O_EXCL. */
    Created create(Op op, Caller caller, long parent, FileName name, int mode, int umask, int flags);

    /** O_TMPFILE: a regular file with no name, nlink 0, open. */
    Created tmpfile(Op op, Caller caller, long parent, int mode, int umask, int flags);

    /** @return bytes read; fewer than asked only at the end of the file */
    int read(Caller caller, long inode, long handle, long offset, MemorySegment into);

    /**
     * When it returns, the bytes outlive this process.
     *
     * @param killSuidgid as in {@link SetAttributes}
     */
    int write(Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid);

    /** close(2) of one descriptor: what was written is visible everywhere when it returns. */
    void flush(Op op, Caller caller, long inode, long handle, long lockOwner);

    /** The last close of an open file; never fails. */
    void release(long inode, long handle, long lockOwner, boolean unlockFlock);

    /** Durable when it returns. */
    void fsync(Caller caller, long inode, long handle, boolean dataOnly);

    void fsyncDirectory(Caller caller, long inode);

    /** sync(2), syncfs(2): everything written to the volume so far is durable. */
    void sync();

    /** @param mode fallocate(2)'s FALLOC_FL_* bits */
    void fallocate(Op op, Caller caller, long inode, long handle, long offset, long length, int mode);

    /** @param whence SEEK_DATA 3 or SEEK_HOLE 4 */
    long seek(Caller caller, long inode, long handle, long offset, int whence);

    /** @return bytes copied */
    long copyFileRange(Op op, Caller caller, long inode, long offset, long toInode, long toOffset, long length);

    /**
     * Lists a directory after a cookie (0 = from the start) until the sink is full; "." and ".." are the transport's.
     *
     * @param withAttributes entries carry attributes, and the kernel holds a lookup of each that the sink took
     */
    void list(Caller caller, long inode, long afterCookie, boolean withAttributes, DirectorySink sink);

    byte[] getXattr(Caller caller, long inode, FileName name);

    List<FileName> listXattr(Caller caller, long inode);

    /** @param flags XATTR_CREATE 1, XATTR_REPLACE 2 */
    void setXattr(Op op, Caller caller, long inode, FileName name, byte[] value, int flags, boolean killSgid);

    void removeXattr(Op op, Caller caller, long inode, FileName name);

    /** @return the lock that is in the way, or null */
    FileLock testLock(long inode, FileLock wanted);

    /**
     * Takes, changes or (F_UNLCK) gives up a lock.
     *
     * @param wait wait for it, until it is granted or {@code cancel} says stop
     * @throws ErrnoException EAGAIN, EDEADLK, EINTR
     */
    void setLock(Op op, long inode, FileLock lock, boolean wait, Cancellation cancel);

    Usage statfs();

    /** Everything dirty is committed, uploaded and durable, the session ends; afterwards no method may be called. */
    @Override
    void close();

    /**
     * @param handle bits of HANDLE_*
     * @param keepCache the kernel's pages of the inode are still right
     * @param directIo reads and writes come here, not to the kernel's pages
     * @param backingId the kernel serves this file from a backing file, 0 = it does not
     */
    record Opened(long handle, boolean keepCache, boolean directIo, int backingId) {}

    record Created(Attributes attributes, Opened opened) {}

    /**
     * @param type F_RDLCK 0, F_WRLCK 1, F_UNLCK 2
     * @param start first byte
     * @param end last byte, Long.MAX_VALUE = to the end of the file
     * @param flock a flock(2) lock, which has no range
     */
    record FileLock(long owner, int pid, int type, long start, long end, boolean flock) {
        public static final int READ = 0;
        public static final int WRITE = 1;
        public static final int UNLOCK = 2;
    }

    /**
     * @param quotaBytes 0 = none
     * @param quotaInodes 0 = none
     */
    record Usage(long usedBytes, long usedInodes, long quotaBytes, long quotaInodes) {}

    /** Takes a directory's entries, one after another. */
    interface DirectorySink {
        /**
         * @param nextCookie the list goes on after it
         * @param attributes null in a list without attributes
         * @return false = full: this entry was not taken
         */
        boolean entry(FileName name, long inode, int direntType, long nextCookie, Attributes attributes);
    }

    /** Set by FUSE_INTERRUPT. */
    interface Cancellation {
        boolean cancelled();

        /** Runs once when cancelled; at once if it already is. */
        void onCancel(Runnable action);
    }
}
