package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.engine.OpenInode.Pending;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.Metadata;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The truth of fsync. A commit is durable when a later flush was answered by the same incarnation of the database that
 * took it. Answered by another one, the commits before it are suspect: their bytes are written again when the cache
 * still has them, else the next fsync of the inode fails once.
 */
final class Durability {
    private static final Logger LOG = LoggerFactory.getLogger(Durability.class);
    private static final int RANGES = 64;

    private final Metadata metadata;
    private final Map<Long, Unflushed> unflushed = new ConcurrentHashMap<>();
    private final Map<Long, Unflushed> suspects = new ConcurrentHashMap<>();
    private final Set<Long> lost = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean untold = new AtomicBoolean();
    private volatile UUID incarnation;

    /**
     * @param attributes after the last of the commits
     * @param ranges what was committed; null = something that cannot be done again, or too much
     * @param overtaken a later change was made to a content without it: it is lost, whatever the version
     */
    private record Unflushed(UUID incarnation, Attributes attributes, Ranges ranges, boolean overtaken) {
        Unflushed overtakenBy(long previousVersion) {
            return previousVersion < attributes.version() ? new Unflushed(incarnation, attributes, null, true) : this;
        }
    }

    Durability(Metadata metadata) {
        this.metadata = metadata;
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
     * @param previousVersion of the content before it: older than an earlier commit's, that one was lost, and versions
     *     say nothing of it any more
     */
    void committed(UUID in, long previousVersion, Attributes attributes, List<Extent> extents) {
        suspects.computeIfPresent(attributes.inode(), (inode, suspect) -> suspect.overtakenBy(previousVersion));
        unflushed.compute(attributes.inode(), (inode, earlier) -> {
            Unflushed before = earlier == null ? null : earlier.overtakenBy(previousVersion);
            Ranges ranges = before == null ? new Ranges() : before.ranges;
            if (ranges != null) {
                Ranges all = Ranges.of(ranges.all());
                extents.forEach(extent -> all.add(extent.offset(), extent.end()));
                ranges = all.count() > RANGES ? null : all;
            }
            boolean overtaken = before != null && before.overtaken;
            return new Unflushed(before == null ? in : before.incarnation, attributes, ranges, overtaken);
        });
    }

    /** Another change of the inode was answered, one that cannot be done again. */
    void changed(UUID in, Attributes attributes) {
        unflushed.compute(
                attributes.inode(),
                (inode, before) -> before == null
                        ? new Unflushed(in, attributes, null, false)
                        : new Unflushed(before.incarnation, attributes, null, before.overtaken));
    }

    void forget(long inode) {
        unflushed.remove(inode);
        suspects.remove(inode);
        lost.remove(inode);
    }

    /** Makes what was committed before durable; finds out what was lost. */
    void flush() {
        Map<Long, Unflushed> before = Map.copyOf(unflushed);
        UUID now = metadata.flush();
        incarnation = now;
        before.forEach((inode, commit) -> {
            if (!now.equals(commit.incarnation) && unflushed.remove(inode, commit)) {
                suspects.put(inode, commit);
            } else {
                unflushed.remove(inode, commit);
            }
        });
    }

    boolean isSuspect(long inode) {
        return suspects.containsKey(inode);
    }

    List<Long> suspects() {
        return List.copyOf(suspects.keySet());
    }

    private void lost(long inode) {
        lost.add(inode);
        untold.set(true);
    }

    /** Commits of any inode were lost for good since this was asked last. */
    boolean takeUntold() {
        return untold.getAndSet(false);
    }

    /** The inode's commits were lost for good; says so once. */
    boolean takeLost(long inode) {
        return lost.remove(inode);
    }

    /** The inode itself is not there any more. */
    void gone(long inode) {
        boolean suspect = suspects.remove(inode) != null;
        boolean pending = unflushed.remove(inode) != null;
        if (suspect || pending) {
            lost(inode);
        }
    }

    /**
     * Before the cache is compared with a truth of a new incarnation: what was committed and is not there is dirty
     * again. The inode's lock is held.
     */
    void recover(OpenInode in, Attributes truth) {
        if (unflushed.containsKey(in.inode)) {
            flush();
        }
        Unflushed commit = suspects.remove(in.inode);
        if (commit == null || !commit.overtaken && truth.version() >= commit.attributes.version()) {
            return;
        }
        if (commit.ranges == null || !isPresent(in, commit.ranges)) {
            LOG.warn("the database lost commits, the cache has not all of their bytes: inode={}", in.inode);
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
        LOG.warn("the database lost commits, they are written again: inode={} ranges={}", in.inode, ranges.size());
    }

    private static boolean isPresent(OpenInode in, Ranges ranges) {
        return ranges.all().stream()
                .allMatch(range ->
                        in.file().absent(range.offset(), range.length()).isEmpty());
    }
}
