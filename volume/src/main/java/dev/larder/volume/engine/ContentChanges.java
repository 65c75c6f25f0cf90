package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.engine.OpenInode.Mode;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Content;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Changes of attributes and of whole ranges, in order with the inode's writes: what is dirty is committed first (with the
 * attributes, when both are changed), then the metadata changes, then the cache file follows.
 */
final class ContentChanges {
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;
    private static final int COLLAPSE_RANGE = 8;
    private static final int ZERO_RANGE = 16;
    private static final int INSERT_RANGE = 32;
    /** ext4: collapse and insert work on whole blocks. */
    private static final long BLOCK = 4096;

    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    private final Metadata metadata;
    private final InodeTable table;
    private final Revalidation revalidation;
    private final Committer committer;
    private final Dirtiness dirtiness;
    private final Durability durability;
    private final Quota quota;

    ContentChanges(
            Metadata metadata,
            InodeTable table,
            Revalidation revalidation,
            Committer committer,
            Dirtiness dirtiness,
            Durability durability,
            Quota quota) {
        this.metadata = metadata;
        this.table = table;
        this.revalidation = revalidation;
        this.committer = committer;
        this.dirtiness = dirtiness;
        this.durability = durability;
        this.quota = quota;
    }

    Attributes setAttributes(Op op, OpenInode in, SetAttributes change) {
        if (change.size() != null) {
            dropBeyond(in, change.size());
        }
        Attributes committed = committer.commit(in, change.size() == null ? change : null);
        if (committed != null && change.size() == null) {
            return committed;
        }
        in.lock.lock();
        try {
            revalidation.settle(in);
            if (change.size() != null) {
                dropBeyondLocked(in, change.size());
            }
            long before = in.attributes == null ? -1 : in.attributes.version();
            UUID incarnation = durability.incarnation();
            Attributes after = metadata.setAttributes(op, in.inode, change);
            if (change.size() != null && change.size() == 0) {
                durability.emptied(incarnation, after);
            } else {
                durability.changed(incarnation, after);
            }
            if (change.size() != null) {
                in.file().truncate(change.size());
                in.known.unload(0, Long.MAX_VALUE);
                if (in.mode == Mode.PASSTHROUGH) {
                    in.file().extendTo(after.size());
                }
                if (in.pending == null && in.pagesVersion == before) {
                    in.pagesVersion = after.version();
                }
            }
            ownChange(in, after, change.size() != null);
            return after;
        } catch (ErrnoException e) {
            if (change.size() != null) {
                in.known.forgetAll();
            }
            throw e;
        } finally {
            in.lock.unlock();
        }
    }

    private void dropBeyond(OpenInode in, long size) {
        in.lock.lock();
        try {
            dropBeyondLocked(in, size);
        } finally {
            in.lock.unlock();
        }
    }

    /** Dirty bytes beyond a cut need no upload. */
    private void dropBeyondLocked(OpenInode in, long size) {
        if (in.pending == null) {
            return;
        }
        for (Range range : in.file().dirty().ranges()) {
            if (range.end() > size) {
                in.file().discard(Math.max(size, range.offset()), range.end() - Math.max(size, range.offset()));
            }
        }
        in.overwritten(size, Long.MAX_VALUE);
        in.appendOnly = false;
        in.runStart = in.runEnd;
        in.pending = new OpenInode.Pending(
                Math.min(in.pending.size(), size),
                in.pending.mtime(),
                in.pending.killSuidgid(),
                in.pending.generation());
        dirtiness.settle(in);
    }

    /** The answer of a change of our own; when nothing else came between, what is known stays known. */
    private void ownChange(OpenInode in, Attributes after, boolean content) {
        Attributes before = in.attributes;
        long steps = content ? 1 : 0;
        boolean alone = before != null && !table.isStale(in) && after.version() <= before.version() + steps;
        if (!alone) {
            in.known.forgetAll();
        }
        if (after.size() == 0) {
            in.known.trust(0, Long.MAX_VALUE);
        }
        if (before == null) {
            in.trustedSince = table.distrusts();
        }
        in.attributes = after;
        in.stale = false;
    }

    void fallocate(Op op, OpenInode in, long offset, long length, int mode) {
        if (offset < 0 || length <= 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        if (offset > Long.MAX_VALUE - length) {
            throw new ErrnoException(Errno.EFBIG);
        }
        FileTime now = FileTime.now();
        boolean keep = (mode & KEEP_SIZE) != 0;
        switch (mode) {
            case 0, KEEP_SIZE -> preallocate(op, in, offset, length, keep, now);
            case PUNCH_HOLE | KEEP_SIZE ->
                change(in, offset, offset + length, () -> metadata.punch(op, in.inode, offset, length, false, now));
            case ZERO_RANGE, ZERO_RANGE | KEEP_SIZE -> {
                change(in, offset, offset + length, () -> metadata.punch(op, in.inode, offset, length, true, now));
                preallocate(op.step(1), in, offset, length, keep, now);
            }
            case COLLAPSE_RANGE -> shift(op, in, offset, length, true, now);
            case INSERT_RANGE -> shift(op, in, offset, length, false, now);
            default -> throw new ErrnoException(Errno.EOPNOTSUPP);
        }
    }

    private void preallocate(Op op, OpenInode in, long offset, long length, boolean keep, FileTime now) {
        quota.grow(length, 0);
        long before = allocated(in);
        try {
            change(in, offset, offset, () -> metadata.preallocate(op, in.inode, offset, length, keep, now));
        } finally {
            quota.shrink(Math.max(0, length - (allocated(in) - before)), 0);
        }
    }

    private static long allocated(OpenInode in) {
        Attributes attributes = in.attributes;
        return attributes == null ? 0 : attributes.allocated();
    }

    private void shift(Op op, OpenInode in, long offset, long length, boolean collapse, FileTime now) {
        if (offset % BLOCK != 0 || length % BLOCK != 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        committer.commit(in);
        in.lock.lock();
        try {
            revalidation.attributes(in);
            long size = in.size();
            if (offset >= size || collapse && offset + length >= size) {
                throw new ErrnoException(Errno.EINVAL);
            }
            if (!collapse && size > Long.MAX_VALUE - length) {
                throw new ErrnoException(Errno.EFBIG);
            }
        } finally {
            in.lock.unlock();
        }
        change(
                in,
                offset,
                Long.MAX_VALUE,
                () -> metadata.shift(op, in.inode, offset, collapse ? -length : length, now));
    }

    /** Commits, changes the metadata, and drops from the cache what was in [from, to). */
    private void change(OpenInode in, long from, long to, Supplier<Attributes> statement) {
        committer.commit(in);
        in.lock.lock();
        try {
            revalidation.settle(in);
            if (in.pending != null) {
                // Written since the commit above: it belongs before this change.
                committer.commit(in);
            }
            UUID incarnation = durability.incarnation();
            Attributes after = statement.get();
            durability.changed(incarnation, after);
            in.overwritten(from, to);
            if (to > from) {
                in.file().discard(from, to - from);
            }
            in.known.forgetAll();
            in.attributes = after;
            in.stale = false;
            in.trustedSince = table.distrusts();
            if (in.mode == Mode.PASSTHROUGH) {
                in.file().extendTo(after.size());
            }
        } finally {
            in.lock.unlock();
        }
    }

    long copy(Op op, OpenInode source, long offset, OpenInode target, long toOffset, long length) {
        committer.commit(source);
        long available;
        source.lock.lock();
        try {
            revalidation.attributes(source);
            available = Math.min(length, source.attributes.size() - offset);
        } finally {
            source.lock.unlock();
        }
        if (offset < 0 || toOffset < 0 || length < 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        if (available <= 0) {
            return 0;
        }
        if (toOffset > Long.MAX_VALUE - available) {
            throw new ErrnoException(Errno.EFBIG);
        }
        if (source == target && offset < toOffset + available && toOffset < offset + available) {
            throw new ErrnoException(Errno.EINVAL);
        }
        quota.grow(available, 0);
        long before = allocated(target);
        try {
            change(
                    target,
                    toOffset,
                    toOffset + available,
                    () -> metadata.copyRange(
                            op, source.inode, offset, target.inode, toOffset, available, FileTime.now()));
        } finally {
            quota.shrink(Math.max(0, available - Math.max(0, allocated(target) - before)), 0);
        }
        return available;
    }

    /** @throws ErrnoException ENXIO beyond the end, or when no data follows */
    long seek(OpenInode in, long offset, int whence) {
        if (whence != SEEK_DATA && whence != SEEK_HOLE) {
            throw new ErrnoException(Errno.EINVAL);
        }
        in.lock.lock();
        try {
            revalidation.attributes(in);
            long size = in.size();
            if (offset < 0 || offset >= size) {
                throw new ErrnoException(Errno.ENXIO);
            }
            Ranges dirty = Ranges.of(in.file().dirty().ranges());
            long step = Revalidation.WINDOW;
            for (long at = offset; at < size; ) {
                long to = at > size - step ? size : at + step;
                Ranges data = data(in, dirty, at, to);
                long found = whence == SEEK_DATA ? first(data, at, to) : firstHole(data, at, to);
                if (found < to) {
                    return found;
                }
                at = to;
                step = whence == SEEK_DATA && step < Long.MAX_VALUE / 8 ? step * 4 : step;
            }
            if (whence == SEEK_HOLE) {
                return size;
            }
            throw new ErrnoException(Errno.ENXIO);
        } finally {
            in.lock.unlock();
        }
    }

    private Ranges data(OpenInode in, Ranges dirty, long from, long to) {
        Ranges data = Ranges.of(dirty.within(from, to));
        for (long at = from; at < to; ) {
            Content content = metadata.content(in.inode, at, to);
            for (Extent extent : content.extents()) {
                if (extent.kind() != ExtentKind.UNWRITTEN) {
                    data.add(Math.max(from, extent.offset()), Math.min(to, extent.end()));
                }
            }
            at = content.end();
        }
        return data;
    }

    private static long first(Ranges data, long from, long to) {
        return data.within(from, to).stream()
                .mapToLong(Range::offset)
                .findFirst()
                .orElse(to);
    }

    private static long firstHole(Ranges data, long from, long to) {
        return data.missing(from, to).stream()
                .mapToLong(Range::offset)
                .findFirst()
                .orElse(to);
    }
}
