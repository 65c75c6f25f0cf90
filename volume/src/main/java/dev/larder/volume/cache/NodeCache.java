package dev.larder.volume.cache;

import java.util.List;
import java.util.UUID;

/**
 * A volume's cached and dirty bytes on this node's disk: one plain sparse file per inode, an index of what is in it and
 * where it came from, and a journal of what was written and not yet committed. Survives its process; what it says after
 * an unclean stop is true.
 */
public interface NodeCache extends AutoCloseable {
    /** The inode's cache file, made when missing; close what is returned. Cheap, may be called for every operation. */
    CachedFile open(long inode);

    /** Inodes with dirty ranges, among them those that a dead predecessor left. */
    List<Long> dirtyInodes();

    /** The inodes with the most bytes here, the most first. */
    List<Largest> largest(int limit);

    /** Whether anything is kept of the inode, or somebody has it open. */
    boolean contains(long inode);

    /** Forgets an inode that is gone, dirty ranges too; its descriptor stays good for who has it open. */
    void remove(long inode);

    /** Forgets every clean range: the database lost commits. */
    void dropClean();

    Stats stats();

    /** Everything that was written so far outlives a power loss (the cache's own state; not the volume's). */
    void force();

    @Override
    void close();

    /** Where the bytes of a present range came from; equal provenance = equal bytes. A null content = a hole. */
    record Provenance(UUID content, long skip) {
        public static final Provenance HOLE = new Provenance(new UUID(0, 0), 0);

        public Provenance plus(long bytes) {
            return content.equals(HOLE.content) ? this : new Provenance(content, skip + bytes);
        }
    }

    /** [offset, offset + length) with its provenance. */
    record Present(long offset, long length, Provenance provenance) {
        public long end() {
            return offset + length;
        }
    }

    /** @param cachedBytes present and dirty */
    record Largest(long inode, long cachedBytes) {}

    record Stats(
            long files,
            long cleanBytes,
            long dirtyBytes,
            long pinnedBytes,
            long capacityBytes,
            long hits,
            long misses,
            long hitBytes,
            long missBytes,
            long evictedBytes) {}
}
