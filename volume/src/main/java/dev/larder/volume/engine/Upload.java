package dev.larder.volume.engine;

import dev.larder.volume.cache.CachedFile.Range;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * A run of dirty bytes on its way into a segment, or there and not committed yet. What is overwritten meanwhile stays
 * dirty and is uploaded again. Guarded by the inode's lock, but for {@link #frames}.
 */
final class Upload {
    /** An upload that was overwritten in so many places is not worth its extents. */
    private static final int FRAGMENTS = 64;

    final long offset;
    final long length;
    final UUID content;
    final UUID segment;

    /** The content's frame table, when the segment is durable. */
    final CompletableFuture<byte[]> frames = new CompletableFuture<>();

    private final Ranges valid = new Ranges();

    Upload(Range range, UUID segment) {
        this.offset = range.offset();
        this.length = range.length();
        this.content = UUID.randomUUID();
        this.segment = segment;
        valid.add(offset, offset + length);
    }

    void overwritten(long from, long to) {
        valid.remove(from, to);
        if (valid.count() > FRAGMENTS) {
            valid.clear();
        }
    }

    /** What of it is still what was written last. */
    List<Range> valid() {
        return valid.all();
    }

    boolean isUploaded() {
        return frames.isDone() && !frames.isCompletedExceptionally();
    }
}
