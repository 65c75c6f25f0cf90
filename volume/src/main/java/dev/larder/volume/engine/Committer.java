package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.cache.CachedFile.Dirty;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache.Provenance;
import dev.larder.volume.engine.OpenInode.Pending;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.Committed;
import dev.larder.volume.objects.SegmentStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits an inode's dirty bytes: small ones inside the metadata, sharing statements with other inodes; large ones by
 * segments that are uploaded without the inode's lock. What is written while that goes on is for the next commit.
 */
final class Committer {
    private static final Logger LOG = LoggerFactory.getLogger(Committer.class);
    /** Rounds of uploading what was overwritten meanwhile, before writers are made to wait. */
    private static final int ROUNDS = 3;

    private static final int EXTENTS_PER_STATEMENT = 1000;
    private static final int EXTENTS_IN_GROUP = 16;

    private final Revalidation revalidation;
    private final SegmentStore segments;
    private final Uploader uploader;
    private final GroupCommit group;
    private final Durability durability;
    private final Dirtiness dirtiness;
    private final Notifications notifications;
    private final ContentOptions options;

    Committer(
            Revalidation revalidation,
            SegmentStore segments,
            Uploader uploader,
            GroupCommit group,
            Durability durability,
            Dirtiness dirtiness,
            Notifications notifications,
            ContentOptions options) {
        this.revalidation = revalidation;
        this.segments = segments;
        this.uploader = uploader;
        this.group = group;
        this.durability = durability;
        this.dirtiness = dirtiness;
        this.notifications = notifications;
        this.options = options;
    }

    /**
     * What was dirty when it was called is committed when it returns.
     *
     * @throws ErrnoException the bytes stay dirty, unless the inode is gone (ESTALE)
     */
    void commit(OpenInode in) {
        commit(in, null);
    }

    /**
     * As {@link #commit(OpenInode)}; the last statement also changes attributes.
     *
     * @param then null, or a change without a size
     * @return the attributes with the change; null when there was nothing to commit: nothing was changed
     */
    Attributes commit(OpenInode in, SetAttributes then) {
        if (in.pending == null) {
            return null;
        }
        Ranges target = null;
        for (int round = 0; ; round++) {
            List<Upload> running;
            in.lock.lock();
            try {
                Dirty dirty = in.file().dirty();
                if (dirty.ranges().isEmpty()) {
                    dirtiness.settle(in);
                    return null;
                }
                if (target == null) {
                    revalidate(in);
                    target = Ranges.of(dirty.ranges());
                    adopt(in);
                }
                Ranges rest = notUploaded(in, dirty, target);
                boolean inline = rest.bytes() <= options.inlineBytes() && rest.count() <= EXTENTS_PER_STATEMENT;
                if (!inline) {
                    uploader.start(in, rest.all());
                    in.runStart = in.runEnd;
                }
                running = in.uploads.stream()
                        .filter(upload -> !upload.frames.isDone())
                        .toList();
                if (round >= ROUNDS && !running.isEmpty()) {
                    uploader.await(running);
                    running = List.of();
                    rest = notUploaded(in, dirty, target);
                }
                if (running.isEmpty()) {
                    return commitNow(in, dirty, rest.all(), then);
                }
            } finally {
                in.lock.unlock();
            }
            uploader.await(running);
        }
    }

    private void revalidate(OpenInode in) {
        try {
            revalidation.attributes(in);
        } catch (ErrnoException e) {
            throw e.errno() == Errno.ESTALE ? refused(in, Errno.ESTALE) : e;
        }
    }

    /** A predecessor's bytes belong to the content as it is now. */
    private static void adopt(OpenInode in) {
        Pending left = in.pending;
        if (left.generation() < 0) {
            in.pending = new Pending(left.size(), left.mtime(), left.killSuidgid(), in.attributes.generation());
        }
    }

    /** Dirty bytes that no upload holds; failed and worthless uploads are taken out. */
    private static Ranges notUploaded(OpenInode in, Dirty dirty, Ranges target) {
        in.uploads.removeIf(upload -> upload.valid().isEmpty() || upload.frames.isDone() && !upload.isUploaded());
        Ranges rest = new Ranges();
        for (Range range : dirty.ranges()) {
            target.within(range.offset(), range.end()).forEach(part -> rest.add(part.offset(), part.end()));
        }
        for (Upload upload : in.uploads) {
            upload.valid().forEach(part -> rest.remove(part.offset(), part.end()));
        }
        return rest;
    }

    private Attributes commitNow(OpenInode in, Dirty dirty, List<Range> rest, SetAttributes then) {
        List<Extent> extents = new ArrayList<>();
        for (Upload upload : in.uploads) {
            addUploaded(extents, upload);
        }
        boolean uploaded = !extents.isEmpty();
        for (Range range : rest) {
            extents.add(inline(in, range));
        }
        extents.sort(Comparator.comparingLong(Extent::offset));
        // Each run was written at what was the end then; another node may have written there since.
        boolean append = in.appendOnly;
        int perStatement = append ? 1 : EXTENTS_PER_STATEMENT;
        for (int from = 0; from < extents.size(); from += perStatement) {
            int to = Math.min(extents.size(), from + perStatement);
            List<Extent> part = extents.subList(from, to);
            boolean shared = !uploaded && part.size() <= EXTENTS_IN_GROUP;
            commitPart(in, commitOf(in, part, append, to == extents.size() ? then : null), shared, dirty.sequence());
        }
        in.uploads.clear();
        in.runStart = in.runEnd;
        dirtiness.settle(in);
        return extents.isEmpty() ? null : in.attributes;
    }

    private static Commit commitOf(OpenInode in, List<Extent> part, boolean append, SetAttributes then) {
        Pending pending = in.pending;
        return new Commit(
                in.inode,
                pending.generation(),
                append ? 0 : pending.size(),
                append,
                pending.killSuidgid(),
                pending.mtime(),
                List.copyOf(part),
                then);
    }

    private static void addUploaded(List<Extent> extents, Upload upload) {
        for (Range part : upload.valid()) {
            extents.add(new Extent(
                    part.offset(),
                    part.length(),
                    ExtentKind.SEGMENT,
                    upload.content,
                    part.offset() - upload.offset,
                    upload.segment,
                    upload.frames.join(),
                    null));
        }
    }

    private Extent inline(OpenInode in, Range range) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(range.length());
            if (!in.file().read(range.offset(), bytes)) {
                throw new ErrnoException(Errno.EIO, "dirty bytes are not in the cache: inode " + in.inode);
            }
            return new Extent(
                    range.offset(),
                    range.length(),
                    ExtentKind.INLINE,
                    UUID.randomUUID(),
                    0,
                    null,
                    segments.inlineFrames(bytes),
                    bytes.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private void commitPart(OpenInode in, Commit commit, boolean shared, long sequence) {
        UUID before = durability.incarnation();
        Committed committed = shared ? group.commit(commit) : group.alone(commit);
        if (committed.errno() != 0) {
            throw refused(in, Errno.of(committed.errno()));
        }
        applied(in, commit, committed, sequence);
        durability.committed(before, committed.previousVersion(), committed.attributes(), commit.extents());
        if (commit.then() != null) {
            durability.changed(before, committed.attributes());
        }
    }

    private ErrnoException refused(OpenInode in, Errno errno) {
        if (errno == Errno.ESTALE || errno == Errno.ENOENT) {
            LOG.warn(
                    "the inode is gone, what was written to it is dropped: inode={} bytes={}",
                    in.inode,
                    in.file().dirtyBytes());
            in.gone = true;
            in.overwritten(0, Long.MAX_VALUE);
            in.uploads.clear();
            in.file().discard(0, Long.MAX_VALUE);
            durability.dropped(in.inode);
            dirtiness.settle(in);
            return new ErrnoException(Errno.ESTALE, "inode " + in.inode + " is not there any more");
        }
        return new ErrnoException(errno, "the commit of inode " + in.inode + " was refused");
    }

    private void applied(OpenInode in, Commit commit, Committed committed, long sequence) {
        Attributes before = in.attributes;
        boolean elsewhere = committed.previousVersion() != before.version();
        for (Extent extent : commit.extents()) {
            boolean moved = commit.append() && committed.appendedAt() != extent.offset();
            if (moved) {
                in.file().discard(extent.offset(), extent.length());
                elsewhere = true;
            } else {
                in.file()
                        .committed(
                                extent.offset(),
                                extent.length(),
                                new Provenance(extent.content(), extent.skip()),
                                sequence);
                in.known.unload(extent.offset(), extent.end());
                in.known.trust(extent.offset(), extent.end());
            }
        }
        in.attributes = committed.attributes();
        if (elsewhere) {
            in.known.forgetAll();
            in.pagesVersion = -1;
            notifications.content(in.inode, 0, 0);
        } else if (in.pagesVersion == before.version()) {
            in.pagesVersion = committed.attributes().version();
        }
    }
}
