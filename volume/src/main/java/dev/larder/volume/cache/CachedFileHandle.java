package dev.larder.volume.cache;

import dev.larder.volume.cache.NodeCache.Present;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** What {@link NodeCache#open} gives out: the entry, held until close, and the descriptor once it was asked for. */
final class CachedFileHandle implements CachedFile {
    private final CachedFileEntry entry;
    private final Consumer<CachedFileEntry> whenClosed;
    private final AtomicBoolean closed = new AtomicBoolean();
    private int descriptor = -1;

    CachedFileHandle(CachedFileEntry entry, Consumer<CachedFileEntry> whenClosed) {
        this.entry = entry;
        this.whenClosed = whenClosed;
    }

    List<Piece> pieces() {
        return entry.pieces();
    }

    @Override
    public long inode() {
        return entry.inode();
    }

    @Override
    public synchronized int descriptor() {
        if (descriptor < 0) {
            descriptor = entry.acquireDescriptor();
        }
        return descriptor;
    }

    @Override
    public boolean read(long offset, MemorySegment into) {
        return entry.read(offset, into);
    }

    @Override
    public List<Range> absent(long offset, long length) {
        return entry.absent(offset, length);
    }

    @Override
    public void fill(long offset, MemorySegment bytes, Provenance provenance, long epoch) {
        entry.fills().fill(offset, bytes, provenance, epoch);
    }

    @Override
    public void fillHole(long offset, long length, long epoch) {
        entry.fills().fillHole(offset, length, epoch);
    }

    @Override
    public long epoch() {
        return entry.epoch();
    }

    @Override
    public void write(long offset, MemorySegment bytes, long tag) {
        entry.writes().write(offset, bytes, tag);
    }

    @Override
    public boolean wasWritten(long tag) {
        return entry.writes().wasWritten(tag);
    }

    @Override
    public void markDirty(long offset, long length) {
        entry.writes().markDirty(offset, length);
    }

    @Override
    public Dirty dirty() {
        return entry.writes().dirty();
    }

    @Override
    public void committed(long offset, long length, Provenance provenance, long sequence) {
        entry.writes().committed(offset, length, provenance, sequence);
    }

    @Override
    public void truncate(long size) {
        entry.writes().truncate(size);
    }

    @Override
    public void fitTo(long size) {
        entry.writes().fitTo(size);
    }

    @Override
    public void extendTo(long size) {
        entry.writes().extendTo(size);
    }

    @Override
    public void discard(long offset, long length) {
        entry.writes().discard(offset, length);
    }

    @Override
    public void invalidate(long offset, long length) {
        entry.invalidate(offset, length);
    }

    @Override
    public void reconcile(long from, long to, List<Present> truth) {
        entry.reconcile(from, to, truth);
    }

    @Override
    public void describe(ContentVersion content) {
        entry.describe(content);
    }

    @Override
    public boolean wasDescribed(ContentVersion content) {
        return entry.wasDescribed(content);
    }

    @Override
    public boolean isSuspect() {
        return entry.isSuspect();
    }

    @Override
    public List<Range> unverified(long from, long to) {
        return entry.unverified(from, to);
    }

    @Override
    public void verified(long from, long to) {
        entry.verified(from, to);
    }

    @Override
    public boolean complete(long size) {
        return entry.complete(size);
    }

    @Override
    public void pin() {
        entry.pin();
    }

    @Override
    public void unpin() {
        entry.unpin();
    }

    @Override
    public long presentBytes() {
        return entry.presentBytes();
    }

    @Override
    public long dirtyBytes() {
        return entry.dirtyBytes();
    }

    @Override
    public void force() {
        entry.force();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            synchronized (this) {
                if (descriptor >= 0) {
                    entry.releaseDescriptor();
                }
            }
            whenClosed.accept(entry);
        }
    }
}
