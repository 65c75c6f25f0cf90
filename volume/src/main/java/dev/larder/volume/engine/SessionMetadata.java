package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Maintenance;
import dev.larder.volume.metadata.Metadata;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * A mount's metadata: what passes through teaches {@link Known} and {@link Unflushed}, concurrent flushes share one, and
 * a fenced session is replaced by a new one in place. Both halves of the engine use this one.
 */
final class SessionMetadata implements Metadata {
    /** Each flush ends by the metadata's own deadline, which may be set; this is for a thread that died. */
    private static final Duration FLUSH_LIMIT = Duration.ofHours(1);

    private final Supplier<Metadata> sessions;
    private final Known known;
    private final Unflushed unflushed;
    private final Shared<UUID> flushes = new Shared<>(this::flushNow, FLUSH_LIMIT);
    private volatile Metadata current;
    private volatile UUID session;
    private volatile boolean resting;

    SessionMetadata(Supplier<Metadata> sessions, Known known, Unflushed unflushed) {
        this.sessions = sessions;
        this.known = known;
        this.unflushed = unflushed;
        this.current = sessions.get();
        this.session = current.session();
    }

    /** Starts a new session in place of one that has been fenced. */
    synchronized void renew(UUID fenced) {
        if (!session.equals(fenced)) {
            return;
        }
        Metadata old = current;
        current = sessions.get();
        session = current.session();
        current.rest(resting);
        old.close();
    }

    @Override
    public UUID session() {
        return session;
    }

    @Override
    public Attributes lookup(long parent, FileName name) {
        return learn(known.token(), current.lookup(parent, name));
    }

    @Override
    public Attributes attributes(long inode) {
        long token = known.token();
        return learn(token, current.attributes(inode));
    }

    @Override
    public byte[] readlink(long inode) {
        return current.readlink(inode);
    }

    @Override
    public Attributes create(Op op, long parent, FileName name, NewInode inode) {
        UUID before = beforeMutation();
        boolean directory = (inode.mode() & Attributes.S_IFMT) == Attributes.S_IFDIR;
        KnownDirectories.Making making = directory ? known.directories().make(inode.inode()) : null;
        boolean made = false;
        try (Known.Mutation mutation = known.mutate(inode.inode(), parent)) {
            KnownDirectories.Naming naming = mutation.name(parent, name);
            Attributes result = current.create(op, parent, name, inode);
            made = result.inode() == inode.inode();
            naming.means(result.inode());
            mutation.is(result);
            mutation.directoryTouched(parent, inode.now(), directory ? 1 : 0);
            unflushed.mutated(before, result.inode(), parent);
            return result;
        } finally {
            if (making != null) {
                making.end(made);
            }
        }
    }

    @Override
    public Attributes createUnlinked(Op op, long parent, NewInode inode) {
        return mutate(inode.inode(), () -> current.createUnlinked(op, parent, inode));
    }

    @Override
    public Attributes link(Op op, long inode, long newParent, FileName newName, FileTime now) {
        UUID before = beforeMutation();
        try (Known.Mutation mutation = known.mutate(inode, newParent)) {
            KnownDirectories.Naming naming = mutation.name(newParent, newName);
            Attributes result = current.link(op, inode, newParent, newName, now);
            naming.means(inode);
            mutation.is(result);
            mutation.directoryTouched(newParent, now, 0);
            unflushed.mutated(before, inode, newParent);
            return result;
        }
    }

    @Override
    public Attributes unlink(Op op, long parent, FileName name, FileTime now, boolean hold) {
        UUID before = beforeMutation();
        try (Known.Mutation mutation = known.mutate(known(parent, name), parent)) {
            KnownDirectories.Naming naming = mutation.name(parent, name);
            Attributes result = current.unlink(op, parent, name, now, hold);
            naming.means(0);
            mutation.is(result);
            mutation.directoryTouched(parent, now, 0);
            unflushed.mutated(before, result.inode(), parent);
            return result;
        }
    }

    @Override
    public long rmdir(Op op, long parent, FileName name, FileTime now) {
        UUID before = beforeMutation();
        try (Known.Mutation mutation = known.mutate(parent)) {
            KnownDirectories.Naming naming = mutation.name(parent, name);
            long inode = current.rmdir(op, parent, name, now);
            naming.means(0);
            known.changed(inode);
            known.directories().drop(inode);
            mutation.directoryTouched(parent, now, -1);
            unflushed.mutated(before, inode, parent);
            return inode;
        }
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
        UUID before = beforeMutation();
        try (Known.Mutation mutation =
                known.mutate(known(parent, name), known(newParent, newName), parent, newParent)) {
            KnownDirectories.Naming from = mutation.name(parent, name);
            KnownDirectories.Naming to = mutation.name(newParent, newName);
            Renamed result = current.rename(op, parent, name, newParent, newName, flags, now, holdReplaced);
            RenameOutcome.of(result, parent, newParent, flags).teach(mutation, known, from, to, now);
            Attributes replaced = result.replaced();
            unflushed.mutated(before, result.moved().inode(), parent, newParent);
            if (replaced != null) {
                unflushed.mutated(before, replaced.inode());
            }
            return result;
        }
    }

    @Override
    public Attributes setAttributes(Op op, long inode, SetAttributes change) {
        return mutate(inode, () -> current.setAttributes(op, inode, change));
    }

    @Override
    public List<DirectoryEntry> list(long inode, long afterCookie, int limit, boolean withAttributes) {
        KnownDirectories.Listing listing = known.directories().list(inode, afterCookie);
        long token = known.token();
        List<DirectoryEntry> page = current.list(inode, afterCookie, limit, withAttributes);
        if (withAttributes) {
            page.forEach(entry -> learn(token, entry.attributes()));
        }
        if (listing != null) {
            listing.page(page, page.size() < limit);
        }
        return page;
    }

    @Override
    public byte[] getXattr(long inode, FileName name) {
        return current.getXattr(inode, name);
    }

    @Override
    public List<FileName> listXattr(long inode) {
        return current.listXattr(inode);
    }

    @Override
    public Attributes setXattr(
            Op op, long inode, FileName name, byte[] value, int flags, Integer newMode, FileTime now) {
        return mutate(inode, () -> current.setXattr(op, inode, name, value, flags, newMode, now));
    }

    @Override
    public Attributes removeXattr(Op op, long inode, FileName name, FileTime now) {
        return mutate(inode, () -> current.removeXattr(op, inode, name, now));
    }

    @Override
    public Content content(long inode, long from, long to) {
        long token = known.token();
        Content content = current.content(inode, from, to);
        learn(token, content.attributes());
        return content;
    }

    @Override
    public List<Committed> commit(Op op, List<Commit> commits) {
        long[] inodes = commits.stream().mapToLong(Commit::inode).toArray();
        try (Known.Mutation mutation = known.mutate(inodes)) {
            List<Committed> answers = current.commit(op, commits);
            for (Committed answer : answers) {
                if (answer.errno() == 0) {
                    mutation.is(answer.attributes());
                }
            }
            unflushed.committed();
            return answers;
        }
    }

    @Override
    public Attributes punch(Op op, long inode, long offset, long length, boolean unwritten, FileTime now) {
        return mutate(inode, () -> current.punch(op, inode, offset, length, unwritten, now));
    }

    @Override
    public Attributes preallocate(Op op, long inode, long offset, long length, boolean keepSize, FileTime now) {
        return mutate(inode, () -> current.preallocate(op, inode, offset, length, keepSize, now));
    }

    @Override
    public Attributes shift(Op op, long inode, long offset, long shift, FileTime now) {
        return mutate(inode, () -> current.shift(op, inode, offset, shift, now));
    }

    @Override
    public Attributes copyRange(
            Op op, long inode, long offset, long toInode, long toOffset, long length, FileTime now) {
        return mutate(toInode, () -> current.copyRange(op, inode, offset, toInode, toOffset, length, now));
    }

    @Override
    public void hold(List<Long> inodes) {
        current.hold(inodes);
    }

    @Override
    public void releaseHolds(List<Long> inodes) {
        current.releaseHolds(inodes);
    }

    @Override
    public FileLock testLock(long inode, FileLock wanted) {
        return current.testLock(inode, wanted);
    }

    @Override
    public FileLock setLock(Op op, long inode, FileLock lock, boolean waiting) {
        return current.setLock(op, inode, lock, waiting);
    }

    @Override
    public void stopWaiting(long inode, long owner) {
        current.stopWaiting(inode, owner);
    }

    @Override
    public void requireAnswering() {
        current.requireAnswering();
    }

    /** Joins a flush that begins after the call. */
    @Override
    public UUID flush() {
        requireAnswering();
        return flushes.join();
    }

    private UUID flushNow() {
        long position = unflushed.position();
        UUID incarnation = current.flush();
        unflushed.flushed(position, incarnation);
        return incarnation;
    }

    @Override
    public FeedPage feed(String cursor) {
        return current.feed(cursor);
    }

    @Override
    public Heartbeat heartbeat() {
        return current.heartbeat();
    }

    @Override
    public long leaseInodes(int count) {
        return current.leaseInodes(count);
    }

    @Override
    public Maintenance maintenance() {
        return current.maintenance();
    }

    @Override
    public void rest(boolean on) {
        resting = on;
        current.rest(on);
    }

    @Override
    public void close() {
        current.close();
    }

    private Attributes learn(long token, Attributes read) {
        if (read != null) {
            known.learn(read, token);
        }
        return read;
    }

    /** Bounds what a crash may take: who mutates faster than the background flush flushes itself. */
    private UUID beforeMutation() {
        if (unflushed.isFull()) {
            flush();
        }
        return unflushed.incarnation();
    }

    private Attributes mutate(long inode, Supplier<Attributes> statement) {
        UUID before = beforeMutation();
        try (Known.Mutation mutation = known.mutate(inode)) {
            Attributes result = statement.get();
            mutation.is(result);
            unflushed.mutated(before, inode);
            return result;
        }
    }

    /** The inode that a name is known to mean, to guard what is read of it meanwhile; 0 guards nothing that exists. */
    private long known(long parent, FileName name) {
        Long inode = known.find(parent, name);
        return inode == null ? 0 : inode;
    }
}
