package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache.Provenance;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.objects.CorruptContentException;
import dev.larder.volume.objects.MissingObjectException;
import dev.larder.volume.objects.SegmentStore;
import dev.larder.volume.objects.StoreAccessException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads through the cache file: what is absent is fetched, in whole frames, once for all who want it; ahead of
 * sequential readers. A reader is answered even when the cache has no room for what was fetched.
 */
final class ContentReader {
    private static final Logger LOG = LoggerFactory.getLogger(ContentReader.class);
    private static final long UNIT = FrameTable.MAX_FRAME_BYTES;
    /** A fetch is one request to the store at most. */
    private static final long LARGEST_FETCH = 4 << 20;

    private static final int ATTEMPTS = 3;
    private static final int DIRECT_ATTEMPTS = 16;

    private final InodeTable table;
    private final Revalidation revalidation;
    private final SegmentStore segments;
    private final ContentOptions options;
    private final Executor executor;
    private final Semaphore permits;

    ContentReader(
            InodeTable table,
            Revalidation revalidation,
            SegmentStore segments,
            ContentOptions options,
            Executor executor) {
        this.table = table;
        this.revalidation = revalidation;
        this.segments = segments;
        this.options = options;
        this.executor = executor;
        this.permits = new Semaphore(options.fetches());
    }

    int read(OpenInode in, long offset, MemorySegment into) {
        long size = freshSize(in);
        if (offset >= size || into.byteSize() == 0) {
            return 0;
        }
        int length = (int) Math.min(into.byteSize(), size - offset);
        MemorySegment target = into.asSlice(0, length);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            trust(in, offset, offset + length);
            if (in.file().read(offset, target)) {
                readAhead(in, offset, length, size);
                return length;
            }
            if (attempt == 0) {
                readAhead(in, offset, length, size);
            }
            fetch(in, offset, offset + length, size);
        }
        readDirectly(in, offset, target);
        return length;
    }

    private long freshSize(OpenInode in) {
        if (table.isStale(in)) {
            in.lock.lock();
            try {
                revalidation.attributes(in);
            } catch (ErrnoException e) {
                requireOpen(in, e);
            } finally {
                in.lock.unlock();
            }
        }
        return in.size();
    }

    /** An open file is read on as it was while the database is away: close-to-open promises no more. */
    private static void requireOpen(OpenInode in, ErrnoException failure) {
        if (failure.errno() != Errno.ETIMEDOUT || in.attributes == null || !in.isOpen()) {
            throw failure;
        }
    }

    private void trust(OpenInode in, long from, long to) {
        if (in.known.trustedPrefix() >= to && !table.isStale(in) && !in.isSuspect()) {
            return;
        }
        in.lock.lock();
        try {
            revalidation.trust(in, from, to);
        } catch (ErrnoException e) {
            requireOpen(in, e);
            if (!in.known.trusts(from, to)) {
                throw e;
            }
        } finally {
            in.lock.unlock();
        }
    }

    private void readAhead(OpenInode in, long offset, long length, long size) {
        Range ahead = in.streams.read(offset, length, options.readaheadBytes());
        if (ahead == null || ahead.offset() >= size) {
            return;
        }
        long to = Math.min(size, ahead.end());
        if (in.file().absent(ahead.offset(), to - ahead.offset()).isEmpty()) {
            return;
        }
        inBackground(in, () -> plan(in, ahead.offset(), to, size));
    }

    /** Fetches what is absent of a range without waiting; errors are left to who reads it. */
    void inBackground(OpenInode in, java.util.function.Supplier<List<Fetch>> plan) {
        table.use(in.inode);
        executor.execute(() -> {
            try {
                List<Fetch> mine = plan.get();
                mine.forEach(fetch -> launch(in, fetch));
            } catch (ErrnoException e) {
                LOG.debug("not read ahead: inode={} {}", in.inode, e.getMessage());
            } finally {
                table.done(in);
            }
        });
    }

    /** The whole range is in the cache when it returns, as far as there is room. */
    void fetch(OpenInode in, long from, long to, long size) {
        List<Fetch> mine = plan(in, from, Math.min(size, to), size);
        for (int i = 1; i < mine.size(); i++) {
            launch(in, mine.get(i));
        }
        if (!mine.isEmpty()) {
            run(in, mine.getFirst());
        }
        await(in, from, to, mine);
    }

    /** Registers fetches for what is absent of a range and not under way. */
    List<Fetch> plan(OpenInode in, long from, long to, long size) {
        long start = from - from % UNIT;
        long end = Math.min(size, to > Long.MAX_VALUE - UNIT ? to : (to + UNIT - 1) / UNIT * UNIT);
        List<Fetch> mine = new ArrayList<>();
        in.lock.lock();
        try {
            revalidation.trust(in, start, end);
            Ranges wanted = Ranges.of(in.file().absent(start, end - start));
            for (Fetch running : in.fetches) {
                if (!running.dead().set) {
                    wanted.remove(running.from(), running.to());
                }
            }
            for (Range range : wanted.all()) {
                for (long at = range.offset(); at < range.end(); at += LARGEST_FETCH) {
                    mine.add(planned(in, at, Math.min(range.end(), at + LARGEST_FETCH)));
                }
            }
            in.fetches.addAll(mine);
        } finally {
            in.lock.unlock();
        }
        return mine;
    }

    private Fetch planned(OpenInode in, long from, long to) {
        List<Extent> extents = extents(in, from, to);
        long epoch = in.file().epoch();
        for (Range hole : holes(extents, from, to)) {
            in.file().fillHole(hole.offset(), hole.length(), epoch);
        }
        return Fetch.of(from, to, extents, epoch);
    }

    /** Extents with bytes; inline ones are asked for again when they were evicted. */
    private List<Extent> extents(OpenInode in, long from, long to) {
        return revalidation.extents(in, from, to).stream()
                .filter(extent -> extent.kind() != ExtentKind.UNWRITTEN)
                .toList();
    }

    private static List<Range> holes(List<Extent> extents, long from, long to) {
        Ranges bytes = new Ranges();
        extents.forEach(extent -> bytes.add(extent.offset(), extent.end()));
        return bytes.missing(from, to);
    }

    private void launch(OpenInode in, Fetch fetch) {
        table.use(in.inode);
        executor.execute(() -> {
            try {
                run(in, fetch);
            } catch (ErrnoException e) {
                LOG.debug("fetch failed: inode={} offset={} {}", in.inode, fetch.from(), e.getMessage());
            } finally {
                table.done(in);
            }
        });
    }

    private void run(OpenInode in, Fetch fetch) {
        ErrnoException failure = null;
        try {
            if (!permits.tryAcquire(options.patience().toMillis(), TimeUnit.MILLISECONDS)) {
                throw new ErrnoException(Errno.ETIMEDOUT, "the store did not answer within " + options.patience());
            }
            try {
                transfer(in, fetch.from(), fetch.to(), fetch.extents(), (extent, at, bytes) -> {
                    if (!fetch.dead().set) {
                        filler(in, extent, fetch.epoch()).frame(at, bytes);
                    }
                });
            } finally {
                permits.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure = new ErrnoException(Errno.EINTR, "interrupted while reading", e);
        } catch (RuntimeException e) {
            failure = Failures.of("cannot read from the store", e);
        }
        in.fetches.remove(fetch);
        if (failure == null) {
            fetch.done().complete(null);
        } else {
            fetch.done().completeExceptionally(failure);
            throw failure;
        }
    }

    private void await(OpenInode in, long from, long to, List<Fetch> mine) {
        List<Fetch> all = new ArrayList<>(mine);
        in.fetches.stream()
                .filter(fetch -> fetch.from() < to && from < fetch.to())
                .forEach(all::add);
        long deadline = System.nanoTime() + 2 * options.patience().toNanos();
        for (Fetch fetch : all) {
            try {
                fetch.done().get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ErrnoException(Errno.EINTR, "interrupted while reading", e);
            } catch (TimeoutException e) {
                throw new ErrnoException(Errno.ETIMEDOUT, "the store did not answer in time", e);
            } catch (ExecutionException e) {
                throw Failures.of("cannot read from the store", e.getCause());
            }
        }
    }

    /** Takes frames of an extent. */
    private interface ExtentSink {
        void frame(Extent extent, long contentOffset, MemorySegment bytes);
    }

    /** Reads a range's extents with retries; after a missing object the extents are asked for again, once. */
    private void transfer(OpenInode in, long from, long to, List<Extent> extents, ExtentSink sink) {
        Backoff backoff = new Backoff(options.patience());
        List<Extent> current = extents;
        boolean asked = false;
        while (true) {
            try {
                for (Extent extent : current) {
                    ExtentBytes.read(
                            segments,
                            extent,
                            extent.skip() + Math.max(0, from - extent.offset()),
                            extent.skip() + Math.min(extent.length(), to - extent.offset()),
                            (at, bytes) -> sink.frame(extent, at, bytes));
                }
                return;
            } catch (CorruptContentException e) {
                LOG.error("stored bytes are damaged: inode={} range={}+{}", in.inode, from, to - from, e);
                throw new ErrnoException(Errno.EIO, "stored bytes are damaged: " + e.getMessage(), e);
            } catch (MissingObjectException e) {
                if (asked) {
                    LOG.error("an object is missing: inode={} range={}+{}", in.inode, from, to - from, e);
                    throw new ErrnoException(Errno.EIO, "an object is missing: " + e.getMessage(), e);
                }
                asked = true;
                current = reload(in, from, to);
            } catch (StoreAccessException e) {
                throw new ErrnoException(Errno.EIO, e.getMessage(), e);
            } catch (IOException e) {
                if (!backoff.pause()) {
                    throw new ErrnoException(Errno.EIO, "the store cannot be read: " + e.getMessage(), e);
                }
            }
        }
    }

    private List<Extent> reload(OpenInode in, long from, long to) {
        in.lock.lock();
        try {
            in.known.forget(from, to);
            return extents(in, from, to);
        } finally {
            in.lock.unlock();
        }
    }

    /** Puts an extent's frames into the cache file. */
    static SegmentStore.FrameConsumer filler(OpenInode in, Extent extent, long epoch) {
        return (at, bytes) -> {
            long start = Math.max(at, extent.skip());
            long end = Math.min(at + bytes.byteSize(), extent.skip() + extent.length());
            if (start < end) {
                in.file()
                        .fill(
                                extent.offset() + start - extent.skip(),
                                bytes.asSlice(start - at, end - start),
                                new Provenance(extent.content(), start),
                                epoch);
            }
        };
    }

    /** The cache does not keep what is fetched: puts the answer together from what it has and the store. */
    private void readDirectly(OpenInode in, long offset, MemorySegment target) {
        long end = offset + target.byteSize();
        for (int attempt = 0; attempt < DIRECT_ATTEMPTS; attempt++) {
            Ranges absent;
            List<Extent> extents;
            in.lock.lock();
            try {
                revalidation.trust(in, offset, end);
                extents = extents(in, offset, end);
                absent = Ranges.of(in.file().absent(offset, end - offset));
            } finally {
                in.lock.unlock();
            }
            boolean complete = true;
            for (Range present : absent.missing(offset, end)) {
                complete &=
                        in.file().read(present.offset(), target.asSlice(present.offset() - offset, present.length()));
            }
            if (complete) {
                for (Range range : absent.all()) {
                    transferInto(in, range, extents, target, offset);
                }
                return;
            }
        }
        throw new ErrnoException(Errno.EIO, "the cache loses bytes faster than they are read: give it more room");
    }

    private void transferInto(OpenInode in, Range range, List<Extent> extents, MemorySegment target, long offset) {
        target.asSlice(range.offset() - offset, range.length()).fill((byte) 0);
        List<Extent> overlapping = extents.stream()
                .filter(extent -> extent.offset() < range.end() && range.offset() < extent.end())
                .toList();
        transfer(in, range.offset(), range.end(), overlapping, (extent, at, bytes) -> {
            long fileAt = extent.offset() + at - extent.skip();
            long start = Math.max(range.offset(), Math.max(fileAt, extent.offset()));
            long end = Math.min(range.end(), Math.min(fileAt + bytes.byteSize(), extent.end()));
            if (start < end) {
                MemorySegment.copy(bytes, start - fileAt, target, start - offset, end - start);
            }
        });
    }
}
