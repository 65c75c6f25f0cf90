package dev.larder.protocol;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** The results of the control commands. Names are a contract with scripts: they are what {@code -o json} prints. */
public final class Answers {
    private Answers() {}

    /** @param failed what could not be read, at most 100 */
    public record Warmup(long files, long bytes, List<String> failed) {}

    /** @param lost what a crash of the database may have taken for good, for people; null = nothing */
    public record Flush(long files, long bytes, String lost) {
        public Flush(long files, long bytes) {
            this(files, bytes, null);
        }
    }

    /**
     * What was given back or, with dryRun, what would be.
     *
     * @param purgedTrash removed files that are given up, their time in the trash being over
     * @param purgedInodes inodes without a name
     * @param retired segments that nothing refers to any more, kept until the age is past
     * @param unknownObjects objects that no row knows, of sessions that cannot write any more; deleted unless dryRun
     */
    public record Gc(
            boolean dryRun,
            long purgedTrash,
            long purgedInodes,
            long retired,
            long deletedObjects,
            long unknownObjects,
            long deletedBytes) {}

    /**
     * @param inodes of the volume
     * @param segments that the metadata knows
     * @param objects that were looked for in the store
     * @param findings at most 10,000; count has them all
     */
    public record Fsck(long inodes, long segments, long objects, long count, long repaired, List<Finding> findings) {}

    /**
     * @param what a short stable code, such as nlink-mismatch or object-missing
     * @param inode 0 = none
     * @param name or path, null = none
     */
    public record Finding(String what, long inode, String name, String detail, boolean repaired) {}

    public record Cache(
            Path directory,
            long capacityBytes,
            long usedBytes,
            long dirtyBytes,
            long files,
            long hits,
            long misses,
            long hitBytes,
            long missBytes,
            long evictedBytes,
            List<CachedFile> largest) {}

    /** @param path within the volume, or "#INODE" when it has none */
    public record CachedFile(String path, long inode, long cachedBytes, long sizeBytes) {}

    public record Config(List<Setting> settings) {}

    public record Setting(String key, String value, String description) {}

    public record Du(List<Usage> paths) {}

    /** @param allocatedBytes bytes that hold data or are preallocated */
    public record Usage(String path, long files, long directories, long sizeBytes, long allocatedBytes) {}

    /** @param next where the next page begins; null = there are no more entries */
    public record Trash(List<TrashEntry> entries, String next) {}

    public record TrashEntry(long inode, String path, boolean directory, long sizeBytes, Instant deleted) {}

    /** @param paths where the files are now, in the order asked */
    public record Restored(List<String> paths) {}

    public record Purged(long entries) {}
}
