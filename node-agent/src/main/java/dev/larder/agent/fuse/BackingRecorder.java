package dev.larder.agent.fuse;

/**
 * Remembers backing ids outside of this process, so that a successor can close those that a dead server left. Both
 * return when the record is kept; a failure fails the open.
 */
public interface BackingRecorder {
    /** Before the kernel is told to use it. */
    void opened(long inode, int backingId);

    void closed(long inode, int backingId);

    /** The id that is recorded as open, by this process or a predecessor; 0 = none. */
    int backing(long inode);
}
