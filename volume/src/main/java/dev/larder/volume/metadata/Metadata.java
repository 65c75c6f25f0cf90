package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * A volume's metadata, seen by one session. Every mutation is one statement, executed at most once for an {@link Op},
 * committed asynchronously and in order, visible to all sessions at once; {@link #flush} makes what was committed
 * durable. Answers are {@link ErrnoException}s with the errno of the operation; ESTALE when the session is fenced; EIO
 * or ETIMEDOUT, with the cause, when the database cannot be asked within the deadline.
 */
public interface Metadata extends AutoCloseable {
    /**
     * A session that was the only one may rely on it for so long without asking. {@link #JOINING} is longer: a new
     * session that finds others does nothing for that time after its row was committed, so that they all know.
     */
    Duration SOLE = Duration.ofMillis(400);

    Duration JOINING = Duration.ofMillis(500);

    /** The session's id; its high 64 bits are the high bits of every segment id that it makes. */
    UUID session();

    // ---- names

    Attributes lookup(long parent, FileName name);

    Attributes attributes(long inode);

    byte[] readlink(long inode);

    /**
     * A new inode under a new name. When the parent has a default ACL and {@code inode.aclAware()} is false, nothing is
     * done and {@link DefaultAclException} carries that ACL: compute the inheritance and call again.
     */
    Attributes create(Op op, long parent, FileName name, NewInode inode);

    /** An open file without a name: nlink 0, held by this session. */
    Attributes createUnlinked(Op op, long parent, NewInode inode);

    Attributes link(Op op, long inode, long newParent, FileName newName, FileTime now);

    /**
     * @param hold this session has it open: when it was the last link, keep the inode until {@link #releaseHolds}
     * @return the inode's attributes afterwards (nlink 0 = the last link went)
     */
    Attributes unlink(Op op, long parent, FileName name, FileTime now, boolean hold);

    /** @return the inode number of the directory that is gone */
    long rmdir(Op op, long parent, FileName name, FileTime now);

    /** @param holdReplaced as in unlink, for a file that the new name replaces */
    Renamed rename(
            Op op,
            long parent,
            FileName name,
            long newParent,
            FileName newName,
            int flags,
            FileTime now,
            boolean holdReplaced);

    Attributes setAttributes(Op op, long inode, SetAttributes change);

    /** Entries after a cookie, at most {@code limit} (more only when cookies collide); attributes on request. */
    List<DirectoryEntry> list(long inode, long afterCookie, int limit, boolean withAttributes);

    // ---- extended attributes (ACLs among them, as system.posix_acl_access and _default)

    byte[] getXattr(long inode, FileName name);

    List<FileName> listXattr(long inode);

    /** @param newMode for an access ACL that changes the mode bits, else null */
    Attributes setXattr(Op op, long inode, FileName name, byte[] value, int flags, Integer newMode, FileTime now);

    Attributes removeXattr(Op op, long inode, FileName name, FileTime now);

    // ---- content

    /**
     * Attributes and the extents that overlap [from, to), in order, inline bytes with them: all, or as many as an answer
     * holds.
     */
    Content content(long inode, long from, long to);

    /** See {@link Commit}; one statement for several files, one answer each, in order. */
    List<Committed> commit(Op op, List<Commit> commits);

    /** Drops what lies in the range; keeps the size. {@code unwritten}: the range stays preallocated. */
    Attributes punch(Op op, long inode, long offset, long length, boolean unwritten, FileTime now);

    /** fallocate mode 0 or KEEP_SIZE: holes in the range become UNWRITTEN extents. */
    Attributes preallocate(Op op, long inode, long offset, long length, boolean keepSize, FileTime now);

    /**
     * FALLOC_FL_COLLAPSE_RANGE (negative shift: [offset, offset - shift) goes, what lies behind moves forward, the
     * generation grows) or INSERT_RANGE (positive: a hole of that many bytes at the offset).
     *
     * @throws ErrnoException EINVAL when the range reaches the end of the file
     */
    Attributes shift(Op op, long inode, long offset, long shift, FileTime now);

    /**
     * Shares the source's extents with the target; both committed before. Ends at the source's size.
     *
     * @return the target's attributes
     * @throws ErrnoException EINVAL when the ranges overlap in one file
     */
    Attributes copyRange(Op op, long inode, long offset, long toInode, long toOffset, long length, FileTime now);

    // ---- open files, locks

    /** An inode that was unlinked elsewhere stays while it is held. */
    void hold(List<Long> inodes);

    void releaseHolds(List<Long> inodes);

    /** The lock that is in the way, or null. */
    FileLock testLock(long inode, FileLock wanted);

    /**
     * @return null when granted, or the lock in the way; with {@code waiting} the wait is recorded, so that cycles of
     *     waiters are found
     * @throws ErrnoException EDEADLK when this wait would close a cycle
     */
    FileLock setLock(Op op, long inode, FileLock lock, boolean waiting);

    /** A wait that was recorded is over. */
    void stopWaiting(long inode, long owner);

    // ---- durability, coherence, session

    /** Everything committed before is durable when it returns. @return the database's incarnation */
    UUID flush();

    /**
     * Nothing while the database answers, or may be waited for.
     *
     * @throws dev.larder.volume.ErrnoException ETIMEDOUT when it has been silent for longer than operations wait
     */
    default void requireAnswering() {}

    /** One feed read: what changed since the cursor, by other sessions. A null cursor starts now. */
    FeedPage feed(String cursor);

    /** Extends the lease. @throws ErrnoException ESTALE when this session has been fenced */
    Heartbeat heartbeat();

    /** Leases a block of inode numbers by a durable commit. @return the first; all of the block are the caller's */
    long leaseInodes(int count);

    // ---- work in the background: packer, gc, trash, du (key ranges, short transactions)

    Maintenance maintenance();

    /** Ends the session: its locks and holds are gone, its usage is folded into the volume's. */
    @Override
    void close();

    /** Hardly anything will be asked: a connection is kept for a moment only. False: as before. */
    void rest(boolean resting);

    /**
     * @param inode leased number
     * @param mode type and permissions, umask and ACL inheritance already applied
     * @param target of a symlink, else null
     * @param accessAcl encoded as the xattr, or null
     * @param aclAware the parent's default ACL has been looked at
     */
    record NewInode(
            long inode,
            int mode,
            long uid,
            long gid,
            long rdev,
            byte[] target,
            byte[] accessAcl,
            byte[] defaultAcl,
            boolean aclAware,
            FileTime now) {}

    /** The parent has a default ACL, and the creator did not know. */
    final class DefaultAclException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient byte[] acl;

        public DefaultAclException(byte[] acl) {
            super("the parent has a default ACL", null, false, false);
            this.acl = acl;
        }

        public byte[] acl() {
            return acl;
        }
    }

    /** @param replaced attributes afterwards of what the new name named before, or null */
    record Renamed(Attributes moved, Attributes replaced) {}

    /** @param attributes null unless asked for */
    record DirectoryEntry(FileName name, long cookie, long inode, int direntType, Attributes attributes) {}

    /** @param end what lies before it is here: the end that was asked for, or where to go on */
    record Content(Attributes attributes, List<Extent> extents, long end) {}

    /**
     * New content of a file: the extents replace what lies in their ranges. The size becomes the larger of its own and
     * {@code size}. When the file's generation is no longer {@code generation} (it was truncated meanwhile), what lies
     * beyond its size now is dropped and the size stays. With {@code append}, the one extent is placed at the end of the
     * file under the inode's lock and {@code size} is ignored.
     *
     * @param size 0 = the size does not grow
     * @param mtime also the ctime
     * @param then a change of attributes right after it, without a size; null = none
     */
    record Commit(
            long inode,
            long generation,
            long size,
            boolean append,
            boolean killSuidgid,
            FileTime mtime,
            List<Extent> extents,
            SetAttributes then) {}

    /**
     * @param errno 0, or why this member failed (ESTALE: the inode is gone); the others are not touched by it
     * @param previousVersion the content version before: not the caller's means someone else wrote meanwhile
     * @param appendedAt where an append was placed
     */
    record Committed(int errno, Attributes attributes, long previousVersion, long appendedAt) {}

    /**
     * @param cursor for the next call
     * @param lost the cursor was too old, or the incarnation changed: drop everything
     * @param incarnation of the database
     * @param otherSessions sessions besides this one that may still change something. After a read that saw none, this
     *     one may take itself for the only one for {@link #SOLE}, counted from before the read
     */
    record FeedPage(String cursor, boolean lost, UUID incarnation, int otherSessions, List<Change> changes) {}

    /** Something to drop from caches; never a value. */
    record Change(Kind kind, long parent, FileName name, long inode, long offset, long length) {
        public enum Kind {
            /** A name was made, removed or now means another inode. */
            ENTRY,
            /** Attributes changed. */
            ATTRIBUTES,
            /** Content in the range (length 0 = to the end) and attributes changed. */
            CONTENT,
            /** The last link is gone: hold it if it is open here. */
            UNLINKED,
            /** A lock was given up: try again. */
            UNLOCKED
        }
    }

    /** @param usedBytes all sessions' */
    record Heartbeat(long usedBytes, long usedInodes, long quotaBytes, long quotaInodes, UUID incarnation) {}
}
