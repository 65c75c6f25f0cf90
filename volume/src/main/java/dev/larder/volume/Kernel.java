package dev.larder.volume;

/**
 * What the file system asks of the kernel behind its mount. An invalidation is delivered when its call returns. One that
 * keeps pages never waits; the others may wait for locks of the kernel that are held over requests which this process is
 * to answer: call them only from platform threads that answer nothing.
 */
public interface Kernel {
    /** Drops the kernel's attributes of an inode, and its pages from {@code offset} on; a negative offset keeps pages. */
    void invalidateInode(long inode, long offset, long length);

    /** Drops a name, or its being known as missing. */
    void invalidateEntry(long parent, FileName name);

    /** Drops every name and attribute; used when the change feed was lost. */
    void invalidateAll();

    /** This kernel and mount can serve files from backing files. */
    boolean passthrough();

    /**
     * Registers an open descriptor as a backing file; the descriptor may be closed afterwards.
     *
     * @return the backing id, positive; recorded so that a successor process can close it
     */
    int openBacking(long inode, int descriptor);

    /** The backing id that is recorded for the inode and not closed, a predecessor's too; 0 = none. */
    default int backing(long inode) {
        return 0;
    }

    void closeBacking(long inode, int backingId);
}
