package dev.larder.volume.cache;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * What of one inode's file is there, and the rules that every change of it keeps. Reads hold the read lock; changes hold
 * the write lock; a fill holds it only to reserve its range and to publish it, and every change of a reserved range waits
 * for the fill. Order on disk: a range is taken back in the journal before its bytes change, and claimed after.
 */
final class FileRanges {
    final OpenFile file;
    final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    final Condition fillDone = lock.writeLock().newCondition();
    final RangeMap ranges = new RangeMap();
    final List<Range> filling = new ArrayList<>();
    final Epochs epochs;
    /** Clean ranges that the file had when it was found changed, and that nobody has compared with their checksums. */
    final RangeMap unverified = new RangeMap();

    volatile boolean suspect;
    ContentVersion content = ContentVersion.NONE;
    long contentEra;
    long generation = 1;
    int pins;
    boolean staleBlocks;
    boolean changed;
    volatile boolean created;
    boolean removed;

    private final long inode;
    private final CacheParts parts;

    FileRanges(long inode, CacheParts parts, List<Piece> pieces, boolean created) {
        this.inode = inode;
        this.parts = parts;
        this.created = created;
        file = new OpenFile(parts.directory(), inode, parts.openFiles());
        epochs = new Epochs(parts.epochs().get());
        pieces.forEach(ranges::set);
    }

    /** Before anything here changes the file: is it the one whose ranges were recorded? */
    void compare(Stamp recorded) {
        List<Piece> clean = ranges.all().stream().filter(p -> !p.isDirty()).toList();
        Stamp found = clean.isEmpty() ? recorded : stampOrNone();
        if (clean.isEmpty() || found.equals(recorded) && !found.equals(Stamp.NONE)) {
            return;
        }
        clean.forEach(unverified::set);
        suspect = true;
        if (found.lengthBytes() >= 0) {
            change(() -> forgetClean(found.lengthBytes(), Long.MAX_VALUE), 0, 0);
        }
    }

    void verified(long from, long to) {
        unverified.remove(from, to, _ -> true);
        suspect = !unverified.isEmpty();
    }

    /** For the index; a file with ranges that nobody has verified gets none. */
    Stamp stamp() {
        return suspect || !created || ranges.isEmpty() ? Stamp.NONE : stampOrNone();
    }

    private Stamp stampOrNone() {
        Stamp[] stamp = {Stamp.NONE};
        try {
            withDescriptor(descriptor -> stamp[0] = parts.disk().stamp(descriptor));
        } catch (ErrnoException e) {
            parts.health().failed(e);
        }
        return stamp[0];
    }

    int acquireDescriptor() {
        makeFile();
        return file.acquire();
    }

    void releaseDescriptor() {
        file.release();
    }

    boolean closeDescriptor() {
        return file.closeIdle();
    }

    /** Names a new file in the journal before it is made: a file that nobody knows would never be deleted. */
    void makeFile() {
        if (created) {
            return;
        }
        lock.writeLock().lock();
        try {
            if (!created) {
                if (!removed) {
                    parts.journal().created(inode);
                    parts.counters().files.increment();
                }
                created = true;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    void withDescriptor(IntConsumer action) {
        int descriptor = file.acquire();
        try {
            action.accept(descriptor);
        } finally {
            file.release();
        }
    }

    <T> T lockedRead(Supplier<T> action) {
        lock.readLock().lock();
        try {
            return action.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    void change(Runnable action, long from, long to) {
        lock.writeLock().lock();
        try {
            awaitFills(from, to);
            account(action);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Runs the action and carries what it changed to the figures of the cache. */
    void account(Runnable action) {
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

    void awaitFills(long from, long to) {
        while (!filling.isEmpty() && filling.stream().anyMatch(r -> r.offset() < to && r.end() > from)) {
            fillDone.awaitUninterruptibly();
        }
    }

    void bump(long from, long to) {
        epochs.changed(parts.epochs().incrementAndGet(), from, to);
    }

    void claim(Piece piece) {
        if (!removed) {
            parts.journal().clean(inode, piece);
        }
        ranges.set(piece);
    }

    boolean forgetClean(long from, long to) {
        if (!ranges.any(from, to, p -> !p.isDirty())) {
            return false;
        }
        if (!removed) {
            parts.journal().forget(inode, from, to - from);
        }
        ranges.remove(from, to, p -> !p.isDirty());
        return true;
    }

    /** A pinned file may be read by the kernel itself: its old bytes stay until new ones replace them. */
    void giveBackBlocks(long from, long to) {
        if (pins > 0) {
            staleBlocks = true;
        } else {
            punchAbsent(from, to);
        }
    }

    void punchAbsent(long from, long to) {
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

    void discount() {
        parts.room().changed(-ranges.storedBytes());
        parts.counters().cleanBytes.add(-ranges.cleanBytes());
        parts.counters().dirtyBytes.add(-ranges.dirtyBytes());
    }
}
