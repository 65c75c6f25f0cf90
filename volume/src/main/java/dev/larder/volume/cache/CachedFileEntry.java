package dev.larder.volume.cache;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Dirty;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.EvictionPolicy.Slice;
import dev.larder.volume.cache.NodeCache.Present;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * One inode's state, shared by its handles: what of the file is there, and every change of it. Reads hold the read
 * lock; changes hold the write lock; a fill holds it only to reserve its range and to publish it, and every change of a
 * reserved range waits for the fill. Order on disk: a range is taken back in the journal before its bytes change, and
 * claimed after.
 */
final class CachedFileEntry {
    private final long inode;
    private final CacheParts parts;
    private final OpenFile file;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Condition fillDone = lock.writeLock().newCondition();
    private final RangeMap ranges = new RangeMap();
    private final List<Range> filling = new ArrayList<>();
    private final Epochs epochs;
    private long generation = 1;
    private int pins;
    private boolean staleBlocks;
    private boolean changed;
    private volatile boolean created;
    private boolean removed;
    private volatile long lastSlice = -1;

    /** Guarded by the map of entries: handles that have it. */
    int references;

    CachedFileEntry(long inode, CacheParts parts, List<Piece> pieces, boolean created) {
        this.inode = inode;
        this.parts = parts;
        this.created = created;
        file = new OpenFile(parts.directory().file(inode), parts.openFiles());
        epochs = new Epochs(parts.epochs().get());
        pieces.forEach(ranges::set);
    }

    long inode() {
        return inode;
    }

    int acquireDescriptor() {
        makeFile();
        return file.acquire();
    }

    void releaseDescriptor() {
        file.release();
    }

    /** Names a new file in the journal before it is made: a file that nobody knows would never be deleted. */
    private void makeFile() {
        if (created) {
            return;
        }
        lock.writeLock().lock();
        try {
            if (!created) {
                created = true;
                if (!removed) {
                    parts.journal().created(inode);
                    parts.counters().files.increment();
                }
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    boolean read(long offset, MemorySegment into) {
        long length = into.byteSize();
        ErrnoException failure = null;
        lock.readLock().lock();
        try {
            if (!ranges.covers(offset, offset + length) || downAndClean(offset, offset + length)) {
                return missed(length);
            }
            readPresent(offset, into);
        } catch (ErrnoException e) {
            failure = e;
        } finally {
            lock.readLock().unlock();
        }
        return failure == null ? hit(offset, length) : readFailed(offset, length, failure);
    }

    private boolean downAndClean(long from, long to) {
        return parts.health().isDown() && !ranges.any(from, to, Piece::isDirty);
    }

    private void readPresent(long offset, MemorySegment into) {
        if (into.byteSize() == 0) {
            return;
        }
        int descriptor = file.acquire();
        try {
            long read = parts.disk().read(descriptor, into, offset);
            if (read < into.byteSize()) {
                if (ranges.any(offset + read, offset + into.byteSize(), p -> !p.isHole())) {
                    throw new ErrnoException(
                            Errno.EIO, "cache file of inode " + inode + " is shorter than its index says");
                }
                into.asSlice(read).fill((byte) 0);
            }
        } finally {
            file.release();
        }
        parts.health().succeeded();
    }

    private boolean missed(long length) {
        parts.counters().misses.increment();
        parts.counters().missBytes.add(length);
        return false;
    }

    private boolean hit(long offset, long length) {
        parts.counters().hits.increment();
        parts.counters().hitBytes.add(length);
        long slice = offset / Slice.BYTES;
        if (slice != lastSlice) {
            lastSlice = slice;
            parts.eviction().read(new Slice(inode, slice));
        }
        return true;
    }

    /** Clean bytes can be fetched again; dirty ones exist nowhere else. */
    private boolean readFailed(long offset, long length, ErrnoException failure) {
        parts.health().failed(failure);
        change(() -> forgetClean(offset, offset + length), offset, offset + length);
        if (lockedRead(() -> ranges.any(offset, offset + length, Piece::isDirty))) {
            throw failure;
        }
        return missed(length);
    }

    List<Range> absent(long offset, long length) {
        return lockedRead(() -> {
            if (!parts.health().isDown()) {
                return ranges.absent(offset, offset + length);
            }
            RangeMap dirty = new RangeMap();
            ranges.overlapping(offset, offset + length).stream()
                    .filter(Piece::isDirty)
                    .forEach(dirty::set);
            return dirty.absent(offset, offset + length);
        });
    }

    long epoch() {
        return parts.epochs().get();
    }

    void fill(long offset, MemorySegment bytes, Provenance provenance, long epoch) {
        if (bytes.byteSize() == 0 || parts.health().isDown()) {
            return;
        }
        long length = bytes.byteSize();
        if (!reserve(length)) {
            return;
        }
        try {
            fillRange(
                    new Range(offset, length),
                    epoch,
                    provenance,
                    (descriptor, part) -> parts.disk()
                            .write(descriptor, bytes.asSlice(part.offset() - offset, part.length()), part.offset()));
        } finally {
            parts.room().release(length);
        }
    }

    void fillHole(long offset, long length, long epoch) {
        if (length > 0 && !parts.health().isDown()) {
            fillRange(
                    new Range(offset, length),
                    epoch,
                    Provenance.HOLE,
                    (descriptor, part) -> parts.disk().punch(descriptor, part.offset(), part.length()));
        }
    }

    private interface PartWriter {
        void write(int descriptor, Range part);
    }

    private boolean reserve(long bytes) {
        return parts.room().tryReserve(bytes)
                || parts.eviction().free(bytes) && parts.room().tryReserve(bytes);
    }

    private void fillRange(Range range, long epoch, Provenance provenance, PartWriter writer) {
        List<Range> absent = beginFill(range, epoch);
        if (absent.isEmpty()) {
            return;
        }
        boolean written = false;
        try {
            int descriptor = acquireDescriptor();
            try {
                absent.forEach(part -> writer.write(descriptor, part));
            } finally {
                file.release();
            }
            written = true;
            parts.health().succeeded();
        } catch (ErrnoException e) {
            parts.health().failed(e);
        } finally {
            endFill(range, written ? absent : List.of(), provenance);
        }
    }

    private List<Range> beginFill(Range range, long epoch) {
        lock.writeLock().lock();
        try {
            awaitFills(range.offset(), range.end());
            if (epochs.isStale(epoch, range.offset(), range.end())) {
                return List.of();
            }
            List<Range> absent = ranges.absent(range.offset(), range.end());
            if (!absent.isEmpty()) {
                filling.add(range);
            }
            return absent;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void endFill(Range range, List<Range> written, Provenance provenance) {
        lock.writeLock().lock();
        try {
            account(() -> {
                for (Range part : written) {
                    claim(Piece.clean(part.offset(), part.end(), provenance.plus(part.offset() - range.offset())));
                }
            });
        } finally {
            filling.remove(range);
            fillDone.signalAll();
            lock.writeLock().unlock();
        }
        for (Range part : written) {
            parts.eviction().filled(inode, part.offset(), part.end());
        }
    }

    private void claim(Piece piece) {
        if (!removed) {
            parts.journal().clean(inode, piece);
        }
        ranges.set(piece);
    }

    boolean wasWritten(long tag) {
        return parts.journal().wasWritten(tag);
    }

    void write(long offset, MemorySegment bytes, long tag) {
        long length = bytes.byteSize();
        if (length == 0) {
            return;
        }
        makeFile();
        long end = offset + length;
        long reserved = reserveForWrite(offset, length);
        try {
            WriteRoom.retryWhenFull(
                    parts, length, () -> change(() -> writeDirty(offset, end, bytes, tag), offset, end));
        } finally {
            parts.room().release(reserved);
        }
    }

    private long reserveForWrite(long offset, long length) {
        if (parts.room().tryReserve(length)) {
            return length;
        }
        long missing = length - lockedRead(() -> ranges.storedBetween(offset, offset + length));
        if (missing > 0) {
            WriteRoom.await(parts, missing);
        }
        return missing;
    }

    private void writeDirty(long offset, long end, MemorySegment bytes, long tag) {
        forgetClean(offset, end);
        int descriptor = file.acquire();
        try {
            parts.disk().write(descriptor, bytes, offset);
        } catch (ErrnoException e) {
            parts.health().failed(e);
            throw e;
        } finally {
            file.release();
        }
        parts.health().succeeded();
        if (!removed) {
            parts.journal().dirty(inode, offset, end - offset, tag);
        }
        ranges.set(Piece.dirty(offset, end, generation));
    }

    void markDirty(long offset, long length) {
        long end = offset + length;
        change(
                () -> {
                    for (Piece piece : ranges.overlapping(offset, end)) {
                        forgetClean(piece.start(), piece.end());
                        if (!removed) {
                            parts.journal().dirty(inode, piece.start(), piece.length(), 0);
                        }
                        ranges.set(Piece.dirty(piece.start(), piece.end(), generation));
                    }
                    bump(offset, end);
                },
                offset,
                end);
    }

    Dirty dirty() {
        lock.writeLock().lock();
        try {
            RangeMap merged = new RangeMap();
            for (Piece piece : ranges.all()) {
                if (piece.isDirty()) {
                    merged.set(Piece.dirty(piece.start(), piece.end(), 0));
                }
            }
            List<Range> found = merged.all().stream()
                    .map(p -> new Range(p.start(), p.length()))
                    .toList();
            return new Dirty(found, generation++);
        } finally {
            lock.writeLock().unlock();
        }
    }

    void committed(long offset, long length, Provenance provenance, long sequence) {
        change(
                () -> {
                    for (Piece piece : ranges.overlapping(offset, offset + length)) {
                        if (piece.isDirty() && piece.generation() <= sequence) {
                            claim(Piece.clean(piece.start(), piece.end(), provenance.plus(piece.start() - offset)));
                        }
                    }
                    bump(offset, offset + length);
                },
                offset,
                offset + length);
        parts.eviction().filled(inode, offset, offset + length);
    }

    void truncate(long size) {
        makeFile();
        change(
                () -> {
                    if (!removed) {
                        parts.journal().truncate(inode, size);
                    }
                    ranges.remove(size, Long.MAX_VALUE, _ -> true);
                    bump(size, Long.MAX_VALUE);
                    withDescriptor(descriptor -> parts.disk().truncate(descriptor, size));
                },
                size,
                Long.MAX_VALUE);
    }

    void extendTo(long size) {
        makeFile();
        change(
                () -> withDescriptor(descriptor -> {
                    if (parts.disk().length(descriptor) < size) {
                        parts.disk().truncate(descriptor, size);
                    }
                }),
                0,
                0);
    }

    void discard(long offset, long length) {
        long end = offset + length;
        change(
                () -> {
                    if (!removed) {
                        parts.journal().discard(inode, offset, length);
                    }
                    ranges.remove(offset, end, _ -> true);
                    bump(offset, end);
                    punchAbsent(offset, end);
                },
                offset,
                end);
    }

    void invalidate(long offset, long length) {
        long end = offset + length < 0 ? Long.MAX_VALUE : offset + length;
        change(
                () -> {
                    bump(offset, end);
                    if (forgetClean(offset, end)) {
                        giveBackBlocks(offset, end);
                    }
                },
                offset,
                end);
    }

    void reconcile(long from, long to, List<Present> truth) {
        change(
                () -> {
                    bump(from, to);
                    boolean any = false;
                    for (Range wrong : Reconciliation.wrong(ranges.overlapping(from, to), truth)) {
                        forgetClean(wrong.offset(), wrong.end());
                        any = true;
                    }
                    if (any) {
                        giveBackBlocks(from, to);
                    }
                },
                from,
                to);
    }

    /** A pinned file may be read by the kernel itself: its old bytes stay until new ones replace them. */
    private void giveBackBlocks(long from, long to) {
        if (pins > 0) {
            staleBlocks = true;
        } else {
            punchAbsent(from, to);
        }
    }

    private boolean forgetClean(long from, long to) {
        if (!ranges.any(from, to, p -> !p.isDirty())) {
            return false;
        }
        if (!removed) {
            parts.journal().forget(inode, from, to - from);
        }
        ranges.remove(from, to, p -> !p.isDirty());
        return true;
    }

    private void punchAbsent(long from, long to) {
        if (!created) {
            return;
        }
        try {
            withDescriptor(descriptor -> {
                for (Range gap : ranges.absent(from, Math.min(to, parts.disk().length(descriptor)))) {
                    if (gap.length() > 0) {
                        parts.disk().punch(descriptor, gap.offset(), gap.length());
                    }
                }
            });
        } catch (ErrnoException e) {
            parts.health().failed(e);
        }
    }

    private void withDescriptor(java.util.function.IntConsumer action) {
        int descriptor = file.acquire();
        try {
            action.accept(descriptor);
        } finally {
            file.release();
        }
    }

    /** @return bytes freed; dirty bytes stay, a pinned file stays whole */
    long evict(long from, long to) {
        long[] freed = {0};
        change(
                () -> {
                    if (pins == 0 && !removed) {
                        long before = ranges.storedBytes();
                        if (forgetClean(from, to)) {
                            punchAbsent(from, to);
                        }
                        freed[0] = before - ranges.storedBytes();
                    }
                },
                from,
                to);
        parts.counters().evictedBytes.add(freed[0]);
        return freed[0];
    }

    /** What is there, in order. */
    List<Piece> pieces() {
        return lockedRead(() -> List.copyOf(ranges.all()));
    }

    boolean complete(long size) {
        return lockedRead(() -> ranges.covers(0, size) && !ranges.any(0, size, Piece::isDirty));
    }

    void pin() {
        change(() -> pins++, 0, 0);
    }

    void unpin() {
        change(
                () -> {
                    if (pins == 0) {
                        throw new IllegalStateException("inode " + inode + " is not pinned");
                    }
                    if (--pins == 0 && staleBlocks) {
                        staleBlocks = false;
                        punchAbsent(0, Long.MAX_VALUE);
                    }
                },
                0,
                Long.MAX_VALUE);
    }

    long presentBytes() {
        return lockedRead(() -> ranges.cleanBytes() + ranges.dirtyBytes());
    }

    long dirtyBytes() {
        return lockedRead(ranges::dirtyBytes);
    }

    long pinnedBytes() {
        return lockedRead(() -> pins > 0 ? ranges.storedBytes() : 0L);
    }

    void force() {
        if (!lockedRead(() -> created)) {
            return;
        }
        long sequence = parts.journal().sequence();
        try {
            withDescriptor(parts.disk()::force);
        } catch (ErrnoException e) {
            parts.health().failed(e);
            throw e;
        }
        parts.journal().forced(inode, sequence);
        parts.journal().force();
    }

    void dropClean() {
        invalidate(0, Long.MAX_VALUE);
    }

    /** Forgets everything; who has it open keeps the bytes. */
    void remove(boolean lastHolder) {
        change(
                () -> {
                    if (removed) {
                        return;
                    }
                    parts.journal().remove(inode);
                    parts.index().remove(inode, parts.journal().sequence());
                    discount();
                    removed = true;
                    if (created) {
                        parts.counters().files.decrement();
                        if (lastHolder) {
                            ranges.remove(0, Long.MAX_VALUE, _ -> true);
                            punchAbsent(0, Long.MAX_VALUE);
                        }
                        parts.disk().unlink(parts.directory().file(inode));
                    }
                },
                0,
                Long.MAX_VALUE);
    }

    private void discount() {
        parts.room().changed(-ranges.storedBytes());
        parts.counters().cleanBytes.add(-ranges.cleanBytes());
        parts.counters().dirtyBytes.add(-ranges.dirtyBytes());
    }

    /** Whether it may leave memory once nobody has it open. */
    boolean isIdle() {
        return lockedRead(() -> pins == 0 && (removed || ranges.dirtyBytes() == 0));
    }

    boolean isEmpty() {
        return lockedRead(ranges::isEmpty);
    }

    /** Writes the clean ranges to the index when they changed since the last time. */
    void checkpoint() {
        lock.readLock().lock();
        try {
            if (changed && !removed) {
                List<Piece> clean =
                        ranges.all().stream().filter(p -> !p.isDirty()).toList();
                parts.index().put(inode, new IndexEntry(parts.journal().sequence(), clean));
                changed = false;
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The last act before it leaves memory: an empty file goes, another is checkpointed. */
    void retire() {
        if (isEmpty() && created) {
            remove(true);
        } else {
            checkpoint();
        }
        file.closeIdle();
    }

    boolean closeDescriptor() {
        return file.closeIdle();
    }

    private void bump(long from, long to) {
        epochs.changed(parts.epochs().incrementAndGet(), from, to);
    }

    private void change(Runnable action, long from, long to) {
        lock.writeLock().lock();
        try {
            awaitFills(from, to);
            account(action);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Runs the action and carries what it changed to the figures of the cache. */
    private void account(Runnable action) {
        long stored = ranges.storedBytes();
        long clean = ranges.cleanBytes();
        long dirty = ranges.dirtyBytes();
        boolean counted = !removed;
        try {
            action.run();
        } finally {
            changed = true;
            if (counted && !removed) {
                if (ranges.storedBytes() != stored) {
                    parts.room().changed(ranges.storedBytes() - stored);
                }
                parts.counters().cleanBytes.add(ranges.cleanBytes() - clean);
                parts.counters().dirtyBytes.add(ranges.dirtyBytes() - dirty);
            }
        }
    }

    private void awaitFills(long from, long to) {
        while (!filling.isEmpty() && filling.stream().anyMatch(r -> r.offset() < to && r.end() > from)) {
            fillDone.awaitUninterruptibly();
        }
    }

    private <T> T lockedRead(java.util.function.Supplier<T> action) {
        lock.readLock().lock();
        try {
            return action.get();
        } finally {
            lock.readLock().unlock();
        }
    }
}
