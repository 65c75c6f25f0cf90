package dev.larder.volume.cache;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Keeps what was fetched of one inode. Never fails: what cannot be kept, on a full disk say, is fetched again. */
final class FileFills {
    private final long inode;
    private final CacheParts parts;
    private final FileRanges state;

    FileFills(long inode, CacheParts parts, FileRanges state) {
        this.inode = inode;
        this.parts = parts;
        this.state = state;
    }

    void fill(long offset, MemorySegment bytes, Provenance provenance, long epoch) {
        if (bytes.byteSize() == 0 || parts.health().isDown()) {
            return;
        }
        long length = bytes.byteSize();
        try {
            if (reserve(length)) {
                fillReserved(offset, bytes, provenance, epoch);
            }
        } catch (ErrnoException e) {
            parts.health().failed(e);
        }
    }

    private void fillReserved(long offset, MemorySegment bytes, Provenance provenance, long epoch) {
        long length = bytes.byteSize();
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
            int descriptor = state.acquireDescriptor();
            try {
                absent.forEach(part -> writer.write(descriptor, part));
            } finally {
                state.file.release();
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
        state.lock.writeLock().lock();
        try {
            state.awaitFills(range.offset(), range.end());
            if (state.epochs.isStale(epoch, range.offset(), range.end())) {
                return List.of();
            }
            List<Range> absent = state.ranges.absent(range.offset(), range.end());
            if (!absent.isEmpty()) {
                state.filling.add(range);
            }
            return absent;
        } finally {
            state.lock.writeLock().unlock();
        }
    }

    /** @param written parts whose bytes are in the file; those that the journal cannot name are given back */
    private void endFill(Range range, List<Range> written, Provenance provenance) {
        List<Range> claimed = new ArrayList<>(written.size());
        state.lock.writeLock().lock();
        try {
            state.account(() -> {
                for (Range part : written) {
                    state.claim(
                            Piece.clean(part.offset(), part.end(), provenance.plus(part.offset() - range.offset())));
                    claimed.add(part);
                }
            });
        } catch (ErrnoException e) {
            parts.health().failed(e);
            state.giveBackBlocks(range.offset(), range.end());
        } finally {
            state.filling.remove(range);
            state.fillDone.signalAll();
            state.lock.writeLock().unlock();
        }
        for (Range part : claimed) {
            parts.eviction().filled(inode, part.offset(), part.end());
        }
    }
}
