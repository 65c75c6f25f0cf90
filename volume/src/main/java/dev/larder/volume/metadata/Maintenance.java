package dev.larder.volume.metadata;

import dev.larder.volume.FileName;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.LongConsumer;

/** What background work and administration ask of a volume's metadata: key ranges, short transactions, no long snapshot. */
public interface Maintenance {
    /**
     * Inline extents committed at least {@code age} ago, up to a number of bytes, by inode (oldest first) and offset: the
     * adjacent ones of a file follow each other.
     */
    List<FileExtent> inlineExtents(Duration age, long maxBytes);

    /**
     * Moves extents: each {@code from} that still stands exactly so in the metadata is replaced by {@code to}: the same
     * range in another place. The content stays the same; it is a new one, with skip 0, when {@code from} is a run of
     * several adjacent extents or has no frames. The rest are left. The segments are registered in the same statement.
     *
     * @return which were moved, in order
     */
    List<Boolean> move(List<Move> moves);

    /** Segments without any reference, born at least {@code age} ago, become retired. @return how many */
    int retireSegments(Duration age);

    /** Segments retired at least {@code age} ago; their rows go by {@link #forgetSegments} after their objects. */
    List<RetiredSegment> retiredSegments(Duration age, int limit);

    void forgetSegments(List<UUID> segments);

    /** Which of these segments the metadata knows. */
    List<Boolean> knownSegments(List<UUID> segments);

    /** Sessions that may still write: an unknown object of any other session is garbage. */
    List<UUID> liveSessions();

    /**
     * Inodes at nlink 0 that neither trash nor a hold keeps are removed, {@code age} after a call first saw them so by the
     * database's clock: call it regularly.
     *
     * @param purged told how many so far, statement by statement
     * @return how many
     */
    long purgeUnlinked(Duration age, LongConsumer purged);

    /** Trash entries deleted before a time are given up. @param purged as of purgeUnlinked @return how many */
    long purgeTrash(Instant before, LongConsumer purged);

    /** Trash entries whose time, which the volume's database says, is over are given up. @return how many */
    long purgeExpiredTrash(LongConsumer purged);

    /**
     * What could be given up, retired and deleted now by these ages; changes nothing.
     *
     * @param unlinked age of inodes without a name
     * @param segment age of segments without a reference
     */
    Garbage garbage(Duration unlinked, Duration segment);

    /** How much there is to check. */
    Sizes sizes();

    /**
     * Paths of regular files and others, in the order asked; null when an inode has none. Of several names one.
     */
    List<String> pathsOf(List<Long> inodes);

    /**
     * Removed files that can be brought back, the last removed first: those below a path among the next entries.
     *
     * @param after null: from the beginning
     * @param entries to look at; a page may have fewer, or none, and yet not be the last
     */
    TrashPage trash(String pathPrefix, TrashPlace after, int entries);

    /**
     * Brings back a removed file or directory, with the removed directories above it and what was removed below it,
     * under its old name; a name that is taken by now gets ".restored-1" and so on, one whose directory is gone for good
     * comes to the root. Of several files of one name below it the last removed comes back. It takes several statements:
     * when it fails, what is back stays, and the same call goes on; for a directory that is there it brings back what was
     * removed below it.
     *
     * @return the path it has now
     */
    String restore(long inode);

    /** Exact sums below a directory, itself included. What changes meanwhile is counted before or after. */
    DiskUsage diskUsage(long inode);

    /**
     * Walks every regular file's extents by inode number.
     *
     * @param withData with the bytes of inline extents
     * @return some extents after the position; none = that was the last
     */
    List<FileExtent> extents(long afterInode, long afterOffset, boolean withData);

    /**
     * Checks the metadata against itself.
     *
     * @param repair also mends what can be mended without guessing
     * @param checkedRows told how many rows were looked at, page by page
     */
    List<Finding> check(boolean repair, LongConsumer checkedRows);

    record FileExtent(long inode, Extent extent) {}

    /** @param from one extent, or a run without gaps, in order */
    record Move(long inode, List<Extent> from, Extent to) {
        public Move(long inode, Extent from, Extent to) {
            this(inode, List.of(from), to);
        }
    }

    record RetiredSegment(UUID id, long bytes) {}

    /**
     * @param trashEntries whose time is over
     * @param inodes without a name, kept by nothing, for long enough
     * @param unreferencedSegments that would be retired
     * @param deletableSegments whose objects would be deleted
     */
    record Garbage(
            long trashEntries, long inodes, long unreferencedSegments, long deletableSegments, long deletableBytes) {}

    /** @param bytes of all extents, those of removed files too */
    record Sizes(long inodes, long bytes, long segments) {}

    record TrashEntry(long inode, String path, boolean directory, long size, Instant deleted) {}

    record TrashPlace(long deletedMicros, long inode) {}

    /** @param next null = there are no more */
    record TrashPage(List<TrashEntry> entries, TrashPlace next) {}

    record DiskUsage(long files, long directories, long sizeBytes, long allocatedBytes) {}

    /** @param what a short stable code, such as nlink-mismatch */
    record Finding(String what, long inode, FileName name, String detail, boolean repaired) {}
}
