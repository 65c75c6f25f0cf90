package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.engine.OpenInode.Pending;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.Metadata;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The truth of fsync. A commit is durable when a later flush was answered by the same incarnation of the database that
 * took it. Answered by another one, the commits before it are suspect, and so are the last that were durable, which a
 * promoted standby may lack. What was not durable is written again when it is lost and the cache still has its bytes;
 * else the next fsync of the inode fails once.
 *
 * <p>The upper half of a content version tells the incarnation that made it ({@code larder.next_version}): versions of
 * one are a line, and so is what a new one found. Only what another mount changed in a newer incarnation hides it.
 */
final class Durability {
    private static final Logger LOG = LoggerFactory.getLogger(Durability.class);
    private static final int RANGES = 64;
    /** Durable commits that are remembered, of so many inodes. */
    static final int REMEMBERED = 1000;

    private final Metadata metadata;
    private final Map<Long, Unflushed> unflushed = new ConcurrentHashMap<>();
    /** Flushed in this incarnation, the eldest first; guarded by this. */
    private final LinkedHashMap<Long, Unflushed> durable = new LinkedHashMap<>();

    private final Map<Long, Unflushed> suspects = new ConcurrentHashMap<>();
    private final Set<Long> dirtyAgain = ConcurrentHashMap.newKeySet();
    private final Set<Long> lost = ConcurrentHashMap.newKeySet();
    /** Lost, and told by no fsync and no sync yet. */
    private final Set<Long> untold = ConcurrentHashMap.newKeySet();

    private UUID previous;
    private volatile UUID incarnation;

    /** What became of commits. */
    private enum Fate {
        /** The inode's version tells. */
        OPEN,
        /** A later change was made to a content without them. */
        LOST,
        /** Another mount's change came in between: they may have been there before it. */
        UNKNOWN
    }

    /**
     * @param attributes after the last of the commits
     * @param ranges what was committed; null = something that cannot be done again, or too much
     * @param floor a version that was flushed, or suspect, before: 0 = none. The ranges are not its
     */
    private record Unflushed(UUID incarnation, Attributes attributes, Ranges ranges, Fate fate, long floor) {
        static Unflushed first(UUID incarnation, Attributes attributes, Ranges ranges) {
            return new Unflushed(incarnation, attributes, ranges, Fate.OPEN, 0);
        }

        long version() {
            return attributes.version();
        }

        /** The fate once the inode's content is known to have had this version after a crash. */
        Fate judged(long version) {
            if (fate != Fate.OPEN) {
                return fate;
            } else if (era(version) > era(version())) {
                return Fate.UNKNOWN;
            }
            return version < version() ? Fate.LOST : Fate.OPEN;
        }

        /** What a later change is based on cannot be written again below it. */
        Unflushed with(Fate known) {
            return new Unflushed(incarnation, attributes, known == Fate.OPEN ? ranges : null, known, floor);
        }

        Unflushed then(Attributes after, Ranges all, Fate known) {
            return new Unflushed(incarnation, after, all, known, floor).with(known);
        }

        Unflushed after(Unflushed earlier) {
            Fate both = earlier.fate == Fate.OPEN ? fate : earlier.fate;
            return new Unflushed(incarnation, attributes, ranges, both, earlier.version()).with(both);
        }

        Unflushed withoutRanges() {
            return new Unflushed(incarnation, attributes, null, fate, floor);
        }

        /** A suspect that a later change made in a newer incarnation was seen to include is none. */
        boolean survived(long before, long after) {
            return era(after) > era(version()) && judged(before) == Fate.OPEN;
        }
    }

    Durability(Metadata metadata) {
        this.metadata = metadata;
    }

    private static long era(long version) {
        return version >>> 32;
    }

    void begin() {
        incarnation = metadata.flush();
    }

    int unflushed() {
        return unflushed.size();
    }

    /** To be taken before a statement that changes something: never newer than the one that executes it. */
    UUID incarnation() {
        return incarnation;
    }

    /**
     * A content commit was answered. The inode's lock is held.
     *
     * @param previousVersion of the content that it was made to
     */
    void committed(UUID in, long previousVersion, Attributes attributes, List<Extent> extents) {
        suspects.computeIfPresent(
                attributes.inode(),
                (inode, suspect) -> suspect.survived(previousVersion, attributes.version())
                        ? null
                        : suspect.with(suspect.judged(previousVersion)));
        // The monitor before the map's own lock, as in sort.
        synchronized (this) {
            unflushed.compute(
                    attributes.inode(), (inode, before) -> after(before, in, previousVersion, attributes, extents));
        }
    }

    private Unflushed after(
            Unflushed before, UUID in, long previousVersion, Attributes attributes, List<Extent> extents) {
        Ranges ranges = before == null ? new Ranges() : before.ranges;
        if (ranges != null) {
            Ranges all = Ranges.of(ranges.all());
            extents.forEach(extent -> all.add(extent.offset(), extent.end()));
            ranges = all.count() > RANGES ? null : all;
        }
        if (before == null) {
            // A promoted standby may lack what was durable, and nobody has told it yet.
            Unflushed flushed = durable.get(attributes.inode());
            Fate fate = flushed == null ? Fate.OPEN : flushed.judged(previousVersion);
            return Unflushed.first(in, attributes, ranges).with(fate);
        }
        return before.then(attributes, ranges, before.judged(previousVersion));
    }

    /** Another change of the inode was answered, one that cannot be done again. The inode's lock is held. */
    void changed(UUID in, Attributes attributes) {
        suspects.computeIfPresent(
                attributes.inode(), (inode, suspect) -> suspect.with(suspect.judged(attributes.version())));
        unflushed.compute(
                attributes.inode(),
                (inode, before) -> before == null
                        ? Unflushed.first(in, attributes, null)
                        : before.then(attributes, null, before.judged(attributes.version())));
    }

    /** The inode's content was cut to nothing: no commit before is missed any more. The inode's lock is held. */
    void emptied(UUID in, Attributes attributes) {
        suspects.remove(attributes.inode());
        synchronized (this) {
            durable.remove(attributes.inode());
        }
        unflushed.put(attributes.inode(), Unflushed.first(in, attributes, null));
    }

    void forget(long inode) {
        unflushed.remove(inode);
        suspects.remove(inode);
        dirtyAgain.remove(inode);
        takeLost(inode);
        synchronized (this) {
            durable.remove(inode);
        }
    }

    /** Makes what was committed before durable; finds out what a crash may have taken. */
    void flush() {
        Map<Long, Unflushed> before = Map.copyOf(unflushed);
        sort(before, metadata.flush());
    }

    private synchronized void sort(Map<Long, Unflushed> before, UUID now) {
        if (!now.equals(incarnation) && !now.equals(previous)) {
            previous = incarnation;
            incarnation = now;
            durable.forEach((inode, commit) -> suspects.putIfAbsent(inode, commit.withoutRanges()));
            durable.clear();
        }
        before.forEach((inode, commit) -> {
            if (!unflushed.remove(inode, commit)) {
                return;
            }
            if (now.equals(commit.incarnation) && now.equals(incarnation)) {
                remember(inode, commit);
            } else {
                suspects.merge(inode, commit, (old, later) -> later.after(old));
            }
        });
    }

    private synchronized Unflushed remembered(long inode) {
        return durable.get(inode);
    }

    private void remember(long inode, Unflushed commit) {
        durable.remove(inode);
        durable.put(inode, commit);
        if (durable.size() > REMEMBERED) {
            durable.remove(durable.firstEntry().getKey());
        }
    }

    boolean isSuspect(long inode) {
        return suspects.containsKey(inode);
    }

    List<Long> suspects() {
        return List.copyOf(suspects.keySet());
    }

    /** Commits were lost and made dirty again since this was asked last. */
    boolean takeDirtyAgain(long inode) {
        return dirtyAgain.remove(inode);
    }

    private void lost(long inode) {
        lost.add(inode);
        untold.add(inode);
    }

    /** Commits of any inode were lost for good, of which no fsync has told; says so once. */
    boolean takeUntold() {
        return untold.removeIf(inode -> true);
    }

    /** The inode's commits were lost for good; says so once. */
    boolean takeLost(long inode) {
        untold.remove(inode);
        return lost.remove(inode);
    }

    /** The inode itself is not there any more: its commits are lost unless a change of names took it. */
    void gone(long inode) {
        findOut(inode, true);
        boolean suspect = suspects.remove(inode) != null;
        boolean pending = unflushed.remove(inode) != null;
        if (suspect || pending) {
            lost(inode);
        }
    }

    /** Bytes that were not committed yet had to be dropped with their inode. */
    void dropped(long inode) {
        lost(inode);
        suspects.remove(inode);
        unflushed.remove(inode);
    }

    /**
     * The metadata contradicts what was known of the inode: whether its commits are suspect is certain afterwards.
     *
     * @param older it has less than was known, so that also what was durable may be lost
     */
    void findOut(long inode, boolean older) {
        if (older && remembered(inode) != null || unflushed.containsKey(inode)) {
            flush();
        }
    }

    /**
     * @param truth asked after the inode had become suspect
     * @return the commits are in it: it is suspect no longer
     */
    boolean isThere(long inode, Attributes truth) {
        Unflushed commit = suspects.get(inode);
        return commit == null || commit.judged(truth.version()) == Fate.OPEN && suspects.remove(inode, commit);
    }

    /**
     * Before the cache is compared with what was asked of a suspect inode: what was committed and is not there is dirty
     * again, or lost. The inode's lock is held.
     *
     * @param truth asked after the inode had become suspect
     */
    void recover(OpenInode in, Attributes truth) {
        Unflushed commit = suspects.get(in.inode);
        if (commit == null) {
            return;
        }
        Fate fate = commit.judged(truth.version());
        if (fate != Fate.OPEN) {
            recover(in, truth, commit, fate);
        }
        // Only now: a sync that finds none finds its bytes dirty, or the loss noted.
        suspects.remove(in.inode, commit);
    }

    private void recover(OpenInode in, Attributes truth, Unflushed commit, Fate fate) {
        if (truth.version() < commit.floor) {
            lost(in.inode);
        }
        if (fate == Fate.UNKNOWN
                || commit.ranges == null
                || commit.ranges.count() == 0
                || !isPresent(in, commit.ranges)) {
            LOG.warn("the database lost commits, or may have: inode={} fate={}", in.inode, fate);
            lost(in.inode);
            return;
        }
        List<Range> ranges = commit.ranges.all();
        ranges.forEach(range -> in.file().markDirty(range.offset(), range.length()));
        FileTime mtime = in.pending == null ? commit.attributes.mtime() : in.pending.mtime();
        long end = ranges.getLast().end();
        long size = in.pending == null ? end : Math.max(end, in.pending.size());
        in.pending = new Pending(Math.min(size, commit.attributes.size()), mtime, false, truth.generation());
        in.appendOnly = false;
        dirtyAgain.add(in.inode);
        LOG.warn("the database lost commits, they are written again: inode={} ranges={}", in.inode, ranges.size());
    }

    private static boolean isPresent(OpenInode in, Ranges ranges) {
        return ranges.all().stream()
                .allMatch(range ->
                        in.file().absent(range.offset(), range.length()).isEmpty());
    }
}
