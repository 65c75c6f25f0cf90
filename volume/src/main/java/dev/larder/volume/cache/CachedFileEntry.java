package dev.larder.volume.cache;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.EvictionPolicy.Slice;
import dev.larder.volume.cache.NodeCache.Present;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** One inode's cache file, shared by its handles: what of it is read, kept, given up; {@link FileRanges} has the rules. */
final class CachedFileEntry {
    private final long inode;
    private final CacheParts parts;
    private final FileRanges state;
    private final FileFills fills;
    private final FileWrites writes;
    private volatile long lastSlice = -1;

    /** Guarded by the map of entries: handles that have it. */
    int references;

    /** @param recorded with which stamp, of which content: with another stamp the ranges are suspect */
    CachedFileEntry(long inode, CacheParts parts, List<Piece> pieces, boolean created, IndexEntry recorded) {
        this.inode = inode;
        this.parts = parts;
        state = new FileRanges(inode, parts, pieces, created);
        fills = new FileFills(inode, parts, state);
        writes = new FileWrites(inode, parts, state);
        state.compare(recorded.stamp());
        state.content = recorded.content();
        state.contentEra = recorded.era();
    }

    long inode() {
        return inode;
    }

    FileFills fills() {
        return fills;
    }

    FileWrites writes() {
        return writes;
    }

    int acquireDescriptor() {
        return state.acquireDescriptor();
    }

    void releaseDescriptor() {
        state.releaseDescriptor();
    }

    boolean closeDescriptor() {
        return state.closeDescriptor();
    }

    boolean read(long offset, MemorySegment into) {
        long length = into.byteSize();
        ErrnoException failure = null;
        state.lock.readLock().lock();
        try {
            if (!state.ranges.covers(offset, offset + length) || downAndClean(offset, offset + length)) {
                return missed(length);
            }
            readPresent(offset, into);
        } catch (ErrnoException e) {
            failure = e;
        } finally {
            state.lock.readLock().unlock();
        }
        return failure == null ? hit(offset, length) : readFailed(offset, length, failure);
    }

    private boolean downAndClean(long from, long to) {
        return parts.health().isDown() && !state.ranges.any(from, to, Piece::isDirty);
    }

    private void readPresent(long offset, MemorySegment into) {
        if (into.byteSize() == 0) {
            return;
        }
        int descriptor = state.file.acquire();
        try {
            long read = parts.disk().read(descriptor, into, offset);
            if (read < into.byteSize()) {
                if (state.ranges.any(offset + read, offset + into.byteSize(), p -> !p.isHole())) {
                    throw new ErrnoException(
                            Errno.EIO, "cache file of inode " + inode + " is shorter than its index says");
                }
                into.asSlice(read).fill((byte) 0);
            }
        } finally {
            state.file.release();
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
        state.change(() -> state.forgetClean(offset, offset + length), offset, offset + length);
        if (state.lockedRead(() -> state.ranges.any(offset, offset + length, Piece::isDirty))) {
            throw failure;
        }
        return missed(length);
    }

    List<Range> absent(long offset, long length) {
        return state.lockedRead(() -> {
            if (!parts.health().isDown()) {
                return state.ranges.absent(offset, offset + length);
            }
            RangeMap dirty = new RangeMap();
            state.ranges.overlapping(offset, offset + length).stream()
                    .filter(Piece::isDirty)
                    .forEach(dirty::set);
            return dirty.absent(offset, offset + length);
        });
    }

    long epoch() {
        return parts.epochs().get();
    }

    void invalidate(long offset, long length) {
        long end = offset + length < 0 ? Long.MAX_VALUE : offset + length;
        state.change(
                () -> {
                    state.bump(offset, end);
                    if (state.forgetClean(offset, end)) {
                        state.giveBackBlocks(offset, end);
                    }
                },
                offset,
                end);
    }

    void reconcile(long from, long to, List<Present> truth) {
        state.change(
                () -> {
                    state.bump(from, to);
                    boolean any = false;
                    for (Range wrong : Reconciliation.wrong(state.ranges.overlapping(from, to), truth)) {
                        state.forgetClean(wrong.offset(), wrong.end());
                        any = true;
                    }
                    if (any) {
                        state.giveBackBlocks(from, to);
                    }
                },
                from,
                to);
    }

    /** @return bytes freed; dirty bytes stay, a pinned file stays whole */
    long evict(long from, long to) {
        long[] freed = {0};
        state.change(
                () -> {
                    if (state.pins == 0 && !state.removed) {
                        long before = state.ranges.storedBytes();
                        if (state.forgetClean(from, to)) {
                            state.punchAbsent(from, to);
                        }
                        freed[0] = before - state.ranges.storedBytes();
                    }
                },
                from,
                to);
        parts.counters().evictedBytes.add(freed[0]);
        return freed[0];
    }

    /** What is there, in order. */
    List<Piece> pieces() {
        return state.lockedRead(() -> List.copyOf(state.ranges.all()));
    }

    void describe(ContentVersion content) {
        state.change(
                () -> {
                    state.changed |= !content.equals(state.content);
                    state.content = content;
                    state.contentEra = parts.era();
                },
                0,
                0);
    }

    boolean wasDescribed(ContentVersion content) {
        return state.lockedRead(() -> state.contentEra != parts.era() && content.equals(state.content));
    }

    boolean isSuspect() {
        return state.suspect;
    }

    List<Range> unverified(long from, long to) {
        return state.lockedRead(() -> state.unverified.overlapping(from, to).stream()
                .map(piece -> new Range(piece.start(), piece.length()))
                .toList());
    }

    void verified(long from, long to) {
        state.change(() -> state.verified(from, to), from, to);
    }

    boolean complete(long size) {
        return state.lockedRead(() -> state.ranges.covers(0, size) && !state.ranges.any(0, size, Piece::isDirty));
    }

    void pin() {
        state.change(() -> state.pins++, 0, 0);
    }

    void unpin() {
        state.change(
                () -> {
                    if (state.pins == 0) {
                        throw new IllegalStateException("inode " + inode + " is not pinned");
                    }
                    if (--state.pins == 0 && state.staleBlocks) {
                        state.staleBlocks = false;
                        state.punchAbsent(0, Long.MAX_VALUE);
                    }
                },
                0,
                Long.MAX_VALUE);
    }

    long presentBytes() {
        return state.lockedRead(() -> state.ranges.cleanBytes() + state.ranges.dirtyBytes());
    }

    long dirtyBytes() {
        return state.lockedRead(state.ranges::dirtyBytes);
    }

    long pinnedBytes() {
        return state.lockedRead(() -> state.pins > 0 ? state.ranges.storedBytes() : 0L);
    }

    void force() {
        if (!state.lockedRead(() -> state.created)) {
            return;
        }
        long sequence = parts.journal().sequence();
        try {
            state.withDescriptor(parts.disk()::force);
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

    /** Forgets everything; who has it open keeps the bytes, the last close gives their blocks back. */
    void remove() {
        state.change(
                () -> {
                    if (state.removed) {
                        return;
                    }
                    parts.journal().remove(inode);
                    parts.index().remove(inode, parts.journal().sequence());
                    state.discount();
                    state.removed = true;
                    if (state.created) {
                        parts.counters().files.decrement();
                        parts.disk().unlink(parts.directory().file(inode));
                    }
                },
                0,
                Long.MAX_VALUE);
    }

    /** Whether it may leave memory once nobody has it open. */
    boolean isIdle() {
        return state.lockedRead(() -> state.pins == 0 && (state.removed || state.ranges.dirtyBytes() == 0));
    }

    boolean isEmpty() {
        return state.lockedRead(state.ranges::isEmpty);
    }

    /** Writes the clean ranges to the index when they changed since the last time. */
    void checkpoint() {
        state.lock.readLock().lock();
        try {
            if (state.changed && !state.removed) {
                List<Piece> clean =
                        state.ranges.all().stream().filter(p -> !p.isDirty()).toList();
                long sequence = parts.journal().sequence();
                parts.index()
                        .put(inode, new IndexEntry(sequence, clean, state.stamp(), state.content, state.contentEra));
                state.changed = false;
            }
        } finally {
            state.lock.readLock().unlock();
        }
    }

    /** The last act before it leaves memory: an empty file goes, another is checkpointed. */
    void retire() {
        if (isEmpty() && state.created) {
            remove();
        } else {
            checkpoint();
        }
        state.file.closeIdle();
    }
}
