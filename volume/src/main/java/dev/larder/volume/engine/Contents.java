package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The content half of a mounted volume: open files, reads through the cache, writes into it, commits, passthrough. The
 * names half (VolumeFileSystem) has done the coherence before it calls: an open that comes here happens after a
 * feed read that began after it arrived.
 *
 * <p>Per inode, one lock; it is held over a commit's statement but never while a notification is sent to the kernel.
 */
interface Contents extends AutoCloseable {
    /**
     * @param known attributes just read or just created, or null: read them when what is known here may be stale
     * @param flags open(2)'s
     */
    Opened open(Op op, Caller caller, long inode, Attributes known, int flags);

    int read(long inode, long handle, long offset, MemorySegment into);

    int write(Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid);

    /** Commits what is dirty, visible everywhere when it returns. */
    void flush(Op op, long inode);

    /** {@link #flush}, then durable. */
    void fsync(long inode, boolean dataOnly);

    void release(long inode, long handle);

    /** Changes attributes, the size among them, in order with the inode's writes: dirty bytes are committed first. */
    Attributes setAttributes(Op op, long inode, SetAttributes change);

    void fallocate(Op op, long inode, long offset, long length, int mode);

    long seek(long inode, long offset, int whence);

    long copyFileRange(Op op, long inode, long offset, long toInode, long toOffset, long length);

    /** What the database says, with what was written here and is not committed yet laid over it. */
    Attributes overlay(Attributes committed);

    /** Open in this mount by anyone: its last link's removal needs a hold. */
    boolean isOpen(long inode);

    /** Nobody has a file open, and nothing is dirty. */
    boolean isIdle();

    /** The last link is gone; when it is closed here, its cache and its hold go too. */
    void unlinked(long inode);

    /** The feed: content in the range (length 0 = to the end) or attributes are no longer what is known here. */
    void changed(long inode, long offset, long length);

    /** The database lost commits or the feed was lost: nothing known here is trusted before it is read again. */
    void distrust();

    /** The kernel has forgotten the inode. */
    void forgotten(long inode);

    /** Commits everything that is dirty. */
    void flushAll();

    /**
     * {@link #flushAll}, then durable.
     *
     * @throws ErrnoException EIO, once, when commits were lost for good since the last call
     */
    void syncAll();

    /** Reads the whole file into the cache, reporting bytes as they come; for warm-up. */
    void warm(long inode, java.util.function.LongConsumer fetchedBytes);

    /** Files with uncommitted bytes and uploads under way, for status. */
    List<Pending> pending();

    /** Commits and uploads everything, or fails within its deadline; dirty bytes stay in the cache then. */
    @Override
    void close();

    record Pending(long inode, long dirtyBytes, long uploadingBytes) {}
}
