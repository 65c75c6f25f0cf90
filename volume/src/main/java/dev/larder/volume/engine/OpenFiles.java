package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.engine.OpenInode.Mode;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens and closes: what is known is checked, the kernel's mode decided and counted, the last close lets go. Thread-safe.
 */
final class OpenFiles {
    private static final Logger LOG = LoggerFactory.getLogger(OpenFiles.class);
    private static final int O_ACCMODE = 3;
    private static final int O_TRUNC = 0x200;
    private static final int O_APPEND = 0x400;
    private static final long HANDLE_BITS = 8;
    private static final int MOST_DROPS = 256;

    private final InodeTable table;
    private final Revalidation revalidation;
    private final ContentReader reader;
    private final ContentChanges changes;
    private final Committer committer;
    private final Passthrough passthrough;
    private final UnlinkedInode dropping;
    private final ContentOptions options;
    private final Executor executor;
    /** Removals of cache files in the background, bounded. */
    private final Semaphore drops = new Semaphore(MOST_DROPS);

    private final boolean successor;
    private final FileTime began = FileTime.now();

    /** Marks handles of this process: a release of a predecessor's handle is not counted. */
    private final long era = (ThreadLocalRandom.current().nextLong() & 0x7fff_ffffL) << HANDLE_BITS;

    OpenFiles(
            InodeTable table,
            Revalidation revalidation,
            ContentReader reader,
            ContentChanges changes,
            Committer committer,
            Passthrough passthrough,
            UnlinkedInode dropping,
            ContentOptions options,
            Executor executor,
            boolean successor) {
        this.table = table;
        this.revalidation = revalidation;
        this.reader = reader;
        this.changes = changes;
        this.committer = committer;
        this.passthrough = passthrough;
        this.dropping = dropping;
        this.options = options;
        this.executor = executor;
        this.successor = successor;
    }

    /** What was written through this process, or through a mapping of the backing file, is committed. */
    long commit(OpenInode in) {
        if (in.mode == Mode.PASSTHROUGH || in.inherited) {
            in.lock.lock();
            try {
                passthrough.inherit(in);
                passthrough.findMappedWrites(in);
            } finally {
                in.lock.unlock();
            }
        }
        committer.commit(in);
        return 0;
    }

    Opened open(Op op, long inode, Attributes known, int flags) {
        OpenInode in = table.use(inode);
        try {
            boolean writing = (flags & O_ACCMODE) != 0;
            if (writing && (flags & O_TRUNC) != 0) {
                FileTime now = FileTime.now();
                changes.setAttributes(op, in, new SetAttributes(null, null, null, 0L, null, now, now, true));
            }
            long handle = era
                    | (writing ? FileSystem.HANDLE_WRITE : 0)
                    | ((flags & O_APPEND) != 0 ? FileSystem.HANDLE_APPEND : 0);
            Opened opened = register(in, known, handle, writing);
            if (opened == null) {
                opened = updateInPlace(in, handle, writing);
            }
            prefetch(in, writing);
            return opened;
        } finally {
            table.done(in);
        }
    }

    /** @return null when the backing file must be brought up to date first; it is counted as open already */
    private Opened register(OpenInode in, Attributes known, long handle, boolean writing) {
        in.lock.lock();
        try {
            refresh(in, known);
            if (in.size() > 0 && in.known.trustedPrefix() < Math.min(in.size(), Revalidation.WINDOW)) {
                revalidation.trust(in, 0, Math.min(in.size(), Revalidation.WINDOW));
            }
            passthrough.decide(in, writing);
            in.count(writing, 1);
            if (in.mode == Mode.PASSTHROUGH) {
                return null;
            }
            boolean keep = in.pagesVersion == in.attributes.version();
            in.pagesVersion = in.attributes.version();
            return new Opened(handle, keep, false, 0);
        } catch (ErrnoException e) {
            if (in.opens() == 0 && !in.inherited) {
                passthrough.end(in);
            }
            throw e;
        } finally {
            in.lock.unlock();
        }
    }

    private Opened updateInPlace(OpenInode in, long handle, boolean writing) {
        try {
            passthrough.update(in);
            in.lock.lock();
            try {
                return passthrough.open(in, handle, writing);
            } finally {
                in.lock.unlock();
            }
        } catch (ErrnoException e) {
            closed(in, writing);
            throw e;
        }
    }

    private void refresh(OpenInode in, Attributes known) {
        boolean fresh = known != null && !table.changedLately(in.inode);
        if (fresh && (in.attributes == null || !table.isStale(in) && known.version() > in.attributes.version())) {
            revalidation.accept(in, known, table.distrusts());
        }
        revalidation.attributes(in);
        if (known != null && in.inherited && known.btime().compareTo(began) > 0) {
            in.inherited = false;
        }
        if (known != null && known.nlink() == 0) {
            in.unlinked = true;
        }
    }

    private void prefetch(OpenInode in, boolean writing) {
        long size = in.size();
        if (!writing && in.mode == Mode.CACHED && size > 0 && size <= options.prefetchBytes()) {
            reader.inBackground(in, () -> reader.plan(in, 0, size, size));
        }
    }

    void release(long inode, long handle) {
        if (handle >>> HANDLE_BITS != era >>> HANDLE_BITS) {
            releaseInherited(inode, handle);
            return;
        }
        OpenInode in = table.use(inode);
        try {
            if ((handle & FileSystem.HANDLE_WRITE) != 0 && in.mode == Mode.PASSTHROUGH) {
                commit(in);
            }
        } catch (ErrnoException e) {
            LOG.warn("not committed at the last close, will be tried again: inode={} cause={}", inode, e.getMessage());
        } finally {
            closed(in, (handle & FileSystem.HANDLE_WRITE) != 0);
            table.done(in);
        }
    }

    /** A predecessor's open file: not counted here, but a mapping of it may have been written to until now. */
    private void releaseInherited(long inode, long handle) {
        long mapped = FileSystem.HANDLE_WRITE | FileSystem.HANDLE_PASSTHROUGH;
        if ((handle & mapped) != mapped) {
            return;
        }
        OpenInode in = table.use(inode);
        try {
            commit(in);
        } catch (ErrnoException e) {
            LOG.warn("not committed at the last close, will be tried again: inode={} cause={}", inode, e.getMessage());
        } finally {
            table.done(in);
        }
    }

    private void closed(OpenInode in, boolean writing) {
        in.lock.lock();
        try {
            in.count(writing, -1);
            if (in.opens() == 0 && !in.inherited) {
                passthrough.end(in);
                if (in.unlinked) {
                    dropHeld(in.inode);
                }
            }
        } finally {
            in.lock.unlock();
        }
    }

    boolean isOpen(long inode) {
        OpenInode in = table.peek(inode);
        return in == null ? successor : in.inherited || in.isOpen();
    }

    void unlinked(long inode) {
        OpenInode in = table.use(inode);
        boolean idle;
        try {
            in.lock.lock();
            try {
                in.unlinked = true;
                idle = in.opens() == 0 && !in.inherited;
            } finally {
                in.lock.unlock();
            }
        } finally {
            table.done(in);
        }
        if (idle) {
            dropIdle(inode);
        }
    }

    private void dropIdle(long inode) {
        if (!dropping.hasFile(inode) || !drops.tryAcquire()) {
            drop(inode, false);
            return;
        }
        executor.execute(() -> {
            try {
                drop(inode, false);
            } finally {
                drops.release();
            }
        });
    }

    /** What this session holds, on another thread: it asks the metadata, and a release answers at once. */
    private void dropHeld(long inode) {
        executor.execute(() -> drop(inode, true));
    }

    private void drop(long inode, boolean held) {
        OpenInode in = table.use(inode);
        try {
            dropping.drop(in, held);
        } catch (ErrnoException e) {
            LOG.warn("not dropped, the session's end will: inode={} cause={}", inode, e.getMessage());
        } finally {
            table.done(in);
        }
    }

    void forgotten(long inode) {
        OpenInode in = table.peek(inode);
        if (in == null) {
            return;
        }
        in.lock.lock();
        try {
            in.inherited = false;
            if (in.opens() == 0) {
                passthrough.end(in);
                if (in.unlinked) {
                    dropHeld(inode);
                }
            }
        } finally {
            in.lock.unlock();
        }
    }
}
