package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Kernel;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.objects.SegmentStore;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The content half of a mounted volume: the contract's entry points, each a few named steps of the parts. Thread-safe;
 * lock order: an inode's lock, then its cache file's; the kernel is told things on other threads.
 */
final class VolumeContents implements Contents {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeContents.class);
    private static final long WARM_STEP = 64L << 20;

    private final NodeCache cache;
    private final ContentOptions options;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final InodeTable table;
    private final Durability durability;
    private final Revalidation revalidation;
    private final ContentReader reader;
    private final Uploader uploader;
    private final GroupCommit group;
    private final Dirtiness dirtiness;
    private final Committer committer;
    private final ContentWriter writer;
    private final ContentChanges changes;
    private final OpenFiles open;
    private final Flushing flushing;
    private final WriteBack writeBack;
    private final Notifications notifications;

    /** @param successor this process continues a mount: inodes may be open that it knows nothing of */
    VolumeContents(
            Metadata metadata,
            SegmentStore segments,
            NodeCache cache,
            Kernel kernel,
            Notifications notifications,
            Quota quota,
            ContentOptions options,
            boolean successor) {
        this.cache = cache;
        this.notifications = notifications;
        this.options = options.within(cache.stats().capacityBytes());
        this.table = new InodeTable(cache, options.idleInodes(), successor);
        this.durability = new Durability(metadata);
        this.dirtiness = new Dirtiness(quota, this.options);
        this.revalidation = new Revalidation(metadata, segments, table, durability, dirtiness);
        this.reader = new ContentReader(table, revalidation, segments, this.options, executor);
        this.uploader = new Uploader(table, segments, this.options, executor);
        this.group = new GroupCommit(metadata);
        this.committer = new Committer(
                revalidation, segments, uploader, group, durability, dirtiness, notifications, this.options);
        this.writer = new ContentWriter(metadata::session, revalidation, uploader, committer, dirtiness, quota);
        this.changes = new ContentChanges(metadata, table, revalidation, committer, dirtiness, durability, quota);
        this.open = new OpenFiles(
                table,
                revalidation,
                reader,
                changes,
                committer,
                new Passthrough(kernel, revalidation, reader, dirtiness, this.options.passthroughBytes()),
                new UnlinkedInode(metadata, cache, durability, dirtiness),
                this.options,
                executor,
                successor);
        this.flushing =
                new Flushing(table, revalidation, open, committer, durability, this.options.patience(), executor);
        this.writeBack = new WriteBack(table, committer, dirtiness, durability, this.options, executor);
    }

    /** Takes over what a predecessor left dirty, and begins to work in the background. */
    VolumeContents start() {
        durability.begin();
        table.began(durability.incarnation());
        for (long inode : cache.dirtyInodes()) {
            table.with(inode, in -> recover(in));
        }
        writeBack.start();
        return this;
    }

    private long recover(OpenInode in) {
        in.lock.lock();
        try {
            List<Range> dirty = in.file().dirty().ranges();
            if (!dirty.isEmpty()) {
                long mtime = Passthrough.mtimeNanos(in);
                dirtiness.recovered(in, dirty.getLast().end(), new FileTime(Math.floorDiv(mtime, 1_000_000_000L), (int)
                        Math.floorMod(mtime, 1_000_000_000L)));
                LOG.info("a predecessor's bytes will be committed: inode={} bytes={}", in.inode, in.countedDirty);
            }
            return dirty.size();
        } finally {
            in.lock.unlock();
        }
    }

    @Override
    public Opened open(Op op, Caller caller, long inode, Attributes known, int flags) {
        return open.open(op, inode, known, flags);
    }

    @Override
    public void release(long inode, long handle) {
        open.release(inode, handle);
    }

    @Override
    public boolean isOpen(long inode) {
        return open.isOpen(inode);
    }

    @Override
    public boolean isIdle() {
        return table.all().stream().noneMatch(in -> in.isOpen() || in.countedDirty > 0);
    }

    @Override
    public void unlinked(long inode) {
        open.unlinked(inode);
    }

    @Override
    public void forgotten(long inode) {
        open.forgotten(inode);
    }

    @Override
    public int read(long inode, long handle, long offset, MemorySegment into) {
        return (int) table.with(inode, in -> reader.read(in, offset, into));
    }

    @Override
    public int write(
            Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid) {
        boolean append = (handle & FileSystem.HANDLE_APPEND) != 0;
        return (int) table.with(inode, in -> writer.write(op, in, offset, from, append, killSuidgid));
    }

    @Override
    public void flush(Op op, long inode) {
        if (table.peek(inode) != null) {
            table.with(inode, open::commit);
        }
    }

    @Override
    public void fsync(long inode, boolean dataOnly) {
        table.with(inode, in -> {
            flushing.fsync(in);
            return 0;
        });
    }

    @Override
    public void flushAll() {
        flushing.flushAll();
    }

    @Override
    public void syncAll() {
        flushing.syncAll();
    }

    @Override
    public Attributes setAttributes(Op op, long inode, SetAttributes change) {
        OpenInode in = table.use(inode);
        try {
            return overlay(changes.setAttributes(op, in, change));
        } finally {
            table.done(in);
        }
    }

    @Override
    public void fallocate(Op op, long inode, long offset, long length, int mode) {
        table.with(inode, in -> {
            changes.fallocate(op, in, offset, length, mode);
            return 0;
        });
    }

    @Override
    public long seek(long inode, long offset, int whence) {
        return table.with(inode, in -> changes.seek(in, offset, whence));
    }

    @Override
    public long copyFileRange(Op op, long inode, long offset, long toInode, long toOffset, long length) {
        return table.with(
                inode,
                source -> table.with(toInode, target -> changes.copy(op, source, offset, target, toOffset, length)));
    }

    @Override
    public Attributes overlay(Attributes committed) {
        OpenInode in = table.peek(committed.inode());
        return in == null ? committed : Overlay.of(in, committed);
    }

    @Override
    public void changed(long inode, long offset, long length) {
        table.noteChange(inode);
        OpenInode in = table.peek(inode);
        if (in == null) {
            return;
        }
        if (in.lock.tryLock()) {
            try {
                forgetRange(in, offset, length);
            } finally {
                in.lock.unlock();
            }
            return;
        }
        // The feed must not wait for a commit of this inode.
        in.stale = true;
        in.doubted = true;
        inBackground(() -> {
            in.lock.lock();
            try {
                forgetRange(in, offset, length);
            } finally {
                in.lock.unlock();
            }
        });
    }

    private static void forgetRange(OpenInode in, long offset, long length) {
        long end = length == 0 || offset > Long.MAX_VALUE - length ? Long.MAX_VALUE : offset + length;
        in.known.forget(offset, end);
        in.stale = true;
        in.pagesVersion = -1;
    }

    @Override
    public void distrust() {
        table.distrust();
        for (OpenInode in : table.all()) {
            if (in.isOpen()) {
                notifications.content(in.inode, 0, 0);
            }
        }
        inBackground(() -> {
            try {
                flushing.findLost();
            } catch (ErrnoException e) {
                LOG.debug("the database does not answer yet: {}", e.getMessage());
            }
        });
    }

    /** The feed goes on for a moment after this half has ended. */
    private void inBackground(Runnable work) {
        try {
            executor.execute(work);
        } catch (RejectedExecutionException e) {
            LOG.debug("the feed told something after the end");
        }
    }

    @Override
    public void warm(long inode, LongConsumer fetchedBytes) {
        table.with(inode, in -> {
            in.lock.lock();
            try {
                revalidation.attributes(in);
            } finally {
                in.lock.unlock();
            }
            long size = in.size();
            for (long at = 0; at < size; at += WARM_STEP) {
                long to = Math.min(size, at + WARM_STEP);
                reader.fetch(in, at, to, size);
                fetchedBytes.accept(to - at);
            }
            return 0;
        });
    }

    @Override
    public List<Pending> pending() {
        List<Pending> pending = new ArrayList<>();
        for (OpenInode in : table.all()) {
            if (in.countedDirty > 0) {
                pending.add(new Pending(in.inode, in.countedDirty, Overlay.uploading(in)));
            }
        }
        return pending;
    }

    /** Commit statements so far. */
    long commitStatements() {
        return group.statements();
    }

    @Override
    public void close() {
        writeBack.close();
        try {
            flushing.flushAll();
            durability.flush();
        } finally {
            stop();
        }
    }

    /** Ends without committing anything, as a process does that dies. */
    void abandon() {
        writeBack.close();
        stop();
    }

    private void stop() {
        executor.shutdown();
        try {
            if (executor.awaitTermination(options.patience().toMillis(), TimeUnit.MILLISECONDS)) {
                table.closeAll();
            } else {
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
