package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.LostChangesException;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Inodes with mutations that no flush has made durable yet, and the database's incarnation in which each was made. A
 * flush in another incarnation proves that the database crashed in between, and may have lost them: the next fsync of
 * each such inode says EIO, once. Bounded: who mutates faster than the background flush is asked to flush itself.
 */
final class Unflushed {
    /** More inodes than this wait for no background flush. */
    static final int MAX_INODES = 100_000;

    private final ConcurrentHashMap<Long, Mark> marks = new ConcurrentHashMap<>();
    private final Set<Long> suspects = ConcurrentHashMap.newKeySet();
    /** Suspects that no fsync and no sync has told of yet. */
    private final Set<Long> untold = ConcurrentHashMap.newKeySet();

    private final AtomicBoolean untoldDoubt = new AtomicBoolean();
    private final AtomicLong sequence = new AtomicLong();
    private final Set<Long> toldOfDoubt = ConcurrentHashMap.newKeySet();
    private volatile long doubtedBelow;
    private volatile long flushedTo;
    /** As the feed told it: its readers have dropped what they knew of an earlier one. */
    private UUID seen;
    /** As anything told it. */
    private volatile UUID incarnation = new UUID(0, 0);

    /** @param incarnation the oldest of those that its mutations since the last flush were made in */
    private record Mark(long sequence, UUID incarnation) {}

    /** What is known of the database now; to be read before a mutation is sent: never newer than the mutation's own. */
    UUID incarnation() {
        return incarnation;
    }

    /** Every read of the feed tells it here. @return it is another than the feed told before */
    synchronized boolean seen(UUID current) {
        if (current.equals(seen)) {
            return false;
        }
        boolean first = seen == null;
        seen = current;
        incarnation = current;
        return !first;
    }

    /** A mutation has been answered. */
    void mutated(UUID before, long... inodes) {
        long mark = sequence.incrementAndGet();
        for (long inode : inodes) {
            marks.merge(inode, new Mark(mark, before), (old, fresh) -> new Mark(mark, old.incarnation));
        }
    }

    /** Contents were committed: they are to be flushed, and {@link Contents} knows itself what was lost of them. */
    void committed() {
        sequence.incrementAndGet();
    }

    boolean isEmpty() {
        return flushedTo >= sequence.get() && marks.isEmpty();
    }

    boolean isFull() {
        return marks.size() > MAX_INODES;
    }

    /** To be taken before a flush. */
    long position() {
        return sequence.get();
    }

    /** A flush that began after {@code position} succeeded in this incarnation. */
    synchronized void flushed(long position, UUID in) {
        flushedTo = Math.max(flushedTo, position);
        incarnation = in;
        marks.forEach((inode, mark) -> {
            if (!mark.incarnation.equals(in)) {
                suspects.add(inode);
                untold.add(inode);
            }
            if (mark.sequence <= position || !mark.incarnation.equals(in)) {
                marks.remove(inode, mark);
            }
        });
    }

    /**
     * A predecessor and its database have both ended without order: any inode may have lost a change that nobody
     * remembers.
     *
     * @param below inodes with smaller numbers existed then
     */
    void doubt(long below) {
        doubtedBelow = below;
        untoldDoubt.set(true);
    }

    private boolean takeDoubt(long inode) {
        if (inode >= doubtedBelow || !toldOfDoubt.add(inode)) {
            return false;
        }
        if (toldOfDoubt.size() > MAX_INODES) {
            doubtedBelow = 0;
            toldOfDoubt.clear();
        }
        return true;
    }

    /** @throws ErrnoException EIO, once, when what was written to the inode may be lost */
    void check(long inode) {
        if (told(inode)) {
            throw new ErrnoException(
                    Errno.EIO, "the database restarted and may have lost the last changes of this file");
        }
    }

    /** @throws LostChangesException once, when anything may be lost that nobody was told of */
    void checkAll() {
        boolean doubted = untoldDoubt.getAndSet(false);
        if (untold.removeIf(inode -> true) || doubted) {
            throw new LostChangesException("the database restarted and may have lost the last changes");
        }
    }

    /** The inode's fsync fails. @return what was written to it may be lost, and no fsync has said so */
    boolean told(long inode) {
        untold.remove(inode);
        boolean doubted = takeDoubt(inode);
        return suspects.remove(inode) || doubted;
    }
}
