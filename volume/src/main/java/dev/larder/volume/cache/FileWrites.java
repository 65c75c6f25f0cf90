package dev.larder.volume.cache;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Dirty;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Changes of one inode's bytes that were made here, and what becomes of them. */
final class FileWrites {
    private final long inode;
    private final CacheParts parts;
    private final FileRanges state;

    FileWrites(long inode, CacheParts parts, FileRanges state) {
        this.inode = inode;
        this.parts = parts;
        this.state = state;
    }

    void write(long offset, MemorySegment bytes, long tag) {
        long length = bytes.byteSize();
        if (length == 0) {
            return;
        }
        state.makeFile();
        long end = offset + length;
        long reserved = reserveForWrite(offset, length);
        try {
            WriteRoom.retryWhenFull(
                    parts, length, () -> state.change(() -> writeDirty(offset, end, bytes, tag), offset, end));
        } finally {
            parts.room().release(reserved);
        }
    }

    boolean wasWritten(long tag) {
        return parts.journal().wasWritten(tag);
    }

    private long reserveForWrite(long offset, long length) {
        if (parts.room().tryReserve(length)) {
            return length;
        }
        long missing = length - state.lockedRead(() -> state.ranges.storedBetween(offset, offset + length));
        if (missing > 0) {
            WriteRoom.await(parts, missing);
        }
        return missing;
    }

    private void writeDirty(long offset, long end, MemorySegment bytes, long tag) {
        state.forgetClean(offset, end);
        int descriptor = state.file.acquire();
        try {
            parts.disk().write(descriptor, bytes, offset);
        } catch (ErrnoException e) {
            parts.health().failed(e);
            throw e;
        } finally {
            state.file.release();
        }
        parts.health().succeeded();
        if (!state.removed) {
            parts.journal().dirty(inode, offset, end - offset, tag);
        }
        state.ranges.set(Piece.dirty(offset, end, state.generation));
    }

    void markDirty(long offset, long length) {
        long end = offset + length;
        state.change(
                () -> {
                    for (Piece piece : state.ranges.overlapping(offset, end)) {
                        state.forgetClean(piece.start(), piece.end());
                        if (!state.removed) {
                            parts.journal().dirty(inode, piece.start(), piece.length(), 0);
                        }
                        state.ranges.set(Piece.dirty(piece.start(), piece.end(), state.generation));
                    }
                    state.bump(offset, end);
                },
                offset,
                end);
    }

    Dirty dirty() {
        state.lock.writeLock().lock();
        try {
            RangeMap merged = new RangeMap();
            for (Piece piece : state.ranges.all()) {
                if (piece.isDirty()) {
                    merged.set(Piece.dirty(piece.start(), piece.end(), 0));
                }
            }
            List<Range> found = merged.all().stream()
                    .map(p -> new Range(p.start(), p.length()))
                    .toList();
            return new Dirty(found, state.generation++);
        } finally {
            state.lock.writeLock().unlock();
        }
    }

    void committed(long offset, long length, Provenance provenance, long sequence) {
        state.change(
                () -> {
                    for (Piece piece : state.ranges.overlapping(offset, offset + length)) {
                        if (piece.isDirty() && piece.generation() <= sequence) {
                            state.claim(
                                    Piece.clean(piece.start(), piece.end(), provenance.plus(piece.start() - offset)));
                        }
                    }
                    state.bump(offset, offset + length);
                },
                offset,
                offset + length);
        parts.eviction().filled(inode, offset, offset + length);
    }

    void truncate(long size) {
        state.makeFile();
        state.change(
                () -> {
                    if (!state.removed) {
                        parts.journal().truncate(inode, size);
                    }
                    state.ranges.remove(size, Long.MAX_VALUE, _ -> true);
                    state.bump(size, Long.MAX_VALUE);
                    state.withDescriptor(descriptor -> parts.disk().truncate(descriptor, size));
                },
                size,
                Long.MAX_VALUE);
    }

    void extendTo(long size) {
        state.makeFile();
        state.change(
                () -> state.withDescriptor(descriptor -> {
                    if (parts.disk().length(descriptor) < size) {
                        parts.disk().truncate(descriptor, size);
                    }
                }),
                0,
                0);
    }

    /** What another node cut off lies there still; it is dropped, dirty bytes are not. */
    void fitTo(long size) {
        extendTo(size);
        List<Range> dirty = dirty().ranges();
        long end = dirty.isEmpty() ? size : Math.max(size, dirty.getLast().end());
        if (length() > end) {
            truncate(end);
        }
    }

    private long length() {
        return state.lockedRead(() -> {
            int descriptor = state.file.acquire();
            try {
                return parts.disk().length(descriptor);
            } finally {
                state.file.release();
            }
        });
    }

    void discard(long offset, long length) {
        long end = offset + length;
        state.change(
                () -> {
                    if (!state.removed) {
                        parts.journal().discard(inode, offset, length);
                    }
                    state.ranges.remove(offset, end, _ -> true);
                    state.bump(offset, end);
                    if (!state.removed) {
                        state.punchAbsent(offset, end);
                    }
                },
                offset,
                end);
    }
}
