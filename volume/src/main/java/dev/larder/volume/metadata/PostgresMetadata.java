package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A volume's metadata in its PostgreSQL database. Thread-safe, from virtual threads too. */
public final class PostgresMetadata implements Metadata {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresMetadata.class);
    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(5);

    private final SessionStatements statements;
    private final NameStatements names;
    private final XattrStatements xattrs;
    private final SessionLife life;
    private final ContentStatements content;
    private final LockStatements locks;
    private final FeedStatements feed;
    private final PostgresMaintenance maintenance;

    private PostgresMetadata(SessionStatements statements, SessionLife life) {
        this.statements = statements;
        this.life = life;
        this.names = new NameStatements(statements);
        this.xattrs = new XattrStatements(statements);
        this.content = new ContentStatements(statements);
        this.locks = new LockStatements(statements);
        this.feed = new FeedStatements(statements);
        this.maintenance = new PostgresMaintenance(statements);
    }

    /**
     * Opens a session, or takes over that of a dead agent ({@link MetadataOptions#continued}), whose statements are
     * refused from then on.
     *
     * @throws ErrnoException ESTALE when the session to continue has ended or was fenced
     * @throws dev.larder.volume.HeldElsewhereException when another host has the volume to itself, or has it at all and
     *     this one wants it to itself
     */
    public static PostgresMetadata open(MetadataOptions options) {
        UUID session = options.continued() != null ? options.continued() : UUID.randomUUID();
        DatabasePool pool = new DatabasePool(options);
        try {
            SessionStatements statements = new SessionStatements(pool, options, session);
            SessionLife life = new SessionLife(statements);
            life.open(options);
            PostgresMetadata metadata = new PostgresMetadata(statements, life);
            if (options.continued() == null) {
                metadata.join();
            }
            return metadata;
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    /** Asked after the session's row was committed: of two that begin at once, at least one sees the other. */
    private void join() {
        long deadline = System.nanoTime() + JOINING.toNanos();
        if (feed.feed(null).otherSessions() == 0) {
            return;
        }
        try {
            TimeUnit.NANOSECONDS.sleep(deadline - System.nanoTime());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while joining the other sessions of the volume", e);
        }
    }

    @Override
    public UUID session() {
        return statements.session();
    }

    /** @param fenced told with every statement that is refused because the session is no longer; returns at once */
    public void onFenced(Runnable fenced) {
        statements.onFenced(fenced);
    }

    /** The volume's id. */
    public UUID volume() {
        return life.volume();
    }

    @Override
    public void requireAnswering() {
        statements.requireAnswering();
    }

    /** Since the database answered last; the feed asks it all the time. */
    public Duration silence() {
        return statements.silence();
    }

    /** Statements sent so far. */
    public long statementCount() {
        return statements.statements();
    }

    @Override
    public Attributes lookup(long parent, FileName name) {
        return names.lookup(parent, name);
    }

    @Override
    public Attributes attributes(long inode) {
        return names.attributes(inode);
    }

    @Override
    public byte[] readlink(long inode) {
        return names.readlink(inode);
    }

    @Override
    public Attributes create(Op op, long parent, FileName name, NewInode inode) {
        return names.create(op, parent, name, inode);
    }

    @Override
    public Attributes createUnlinked(Op op, long parent, NewInode inode) {
        return names.create(op, parent, null, inode);
    }

    @Override
    public Attributes link(Op op, long inode, long newParent, FileName newName, FileTime now) {
        return names.link(op, inode, newParent, newName, now);
    }

    @Override
    public Attributes unlink(Op op, long parent, FileName name, FileTime now, boolean hold) {
        return names.unlink(op, parent, name, now, hold);
    }

    @Override
    public long rmdir(Op op, long parent, FileName name, FileTime now) {
        return names.rmdir(op, parent, name, now);
    }

    @Override
    public Renamed rename(
            Op op,
            long parent,
            FileName name,
            long newParent,
            FileName newName,
            int flags,
            FileTime now,
            boolean holdReplaced) {
        return names.rename(op, parent, name, newParent, newName, flags, now, holdReplaced);
    }

    @Override
    public Attributes setAttributes(Op op, long inode, SetAttributes change) {
        return names.setAttributes(op, inode, change);
    }

    @Override
    public List<DirectoryEntry> list(long inode, long afterCookie, int limit, boolean withAttributes) {
        return names.list(inode, afterCookie, limit, withAttributes);
    }

    @Override
    public byte[] getXattr(long inode, FileName name) {
        return xattrs.get(inode, name);
    }

    @Override
    public List<FileName> listXattr(long inode) {
        return xattrs.list(inode);
    }

    @Override
    public Attributes setXattr(
            Op op, long inode, FileName name, byte[] value, int flags, Integer newMode, FileTime now) {
        return xattrs.set(op, inode, name, value, flags, newMode, now);
    }

    @Override
    public Attributes removeXattr(Op op, long inode, FileName name, FileTime now) {
        return xattrs.remove(op, inode, name, now);
    }

    @Override
    public Content content(long inode, long from, long to) {
        return content.content(inode, from, to);
    }

    @Override
    public List<Committed> commit(Op op, List<Commit> commits) {
        return content.commit(op, commits);
    }

    @Override
    public Attributes punch(Op op, long inode, long offset, long length, boolean unwritten, FileTime now) {
        return content.punch(op, inode, offset, length, unwritten, now);
    }

    @Override
    public Attributes preallocate(Op op, long inode, long offset, long length, boolean keepSize, FileTime now) {
        return content.preallocate(op, inode, offset, length, keepSize, now);
    }

    @Override
    public Attributes shift(Op op, long inode, long offset, long shift, FileTime now) {
        return content.shift(op, inode, offset, shift, now);
    }

    @Override
    public Attributes copyRange(
            Op op, long inode, long offset, long toInode, long toOffset, long length, FileTime now) {
        return content.copyRange(op, inode, offset, toInode, toOffset, length, now);
    }

    @Override
    public void hold(List<Long> inodes) {
        life.hold(inodes);
    }

    @Override
    public void releaseHolds(List<Long> inodes) {
        life.releaseHolds(inodes);
    }

    @Override
    public FileLock testLock(long inode, FileLock wanted) {
        return locks.testLock(inode, wanted);
    }

    @Override
    public FileLock setLock(Op op, long inode, FileLock lock, boolean waiting) {
        return locks.setLock(op, inode, lock, waiting);
    }

    @Override
    public void stopWaiting(long inode, long owner) {
        locks.stopWaiting(inode, owner);
    }

    @Override
    public UUID flush() {
        return life.flush();
    }

    @Override
    public FeedPage feed(String cursor) {
        return feed.feed(cursor);
    }

    @Override
    public Heartbeat heartbeat() {
        return life.heartbeat();
    }

    @Override
    public long leaseInodes(int count) {
        return life.leaseInodes(count);
    }

    @Override
    public Maintenance maintenance() {
        return maintenance;
    }

    @Override
    public void rest(boolean resting) {
        statements.rest(resting);
    }

    @Override
    public void close() {
        try {
            life.end(CLOSE_DEADLINE);
        } catch (ErrnoException e) {
            LOG.warn(
                    "the session could not be ended and will be fenced when its lease is over session={} cause={}",
                    session(),
                    e.getMessage());
        } finally {
            statements.close();
        }
    }

    /** Leaves the session to a successor ({@link MetadataOptions#continued}): closes the connections only. */
    public void abandon() {
        statements.close();
    }
}
