package dev.larder.volume.engine;

import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares what a suspect cache file has with the checksums of its extents' frames, and gives up what does not fit: it is
 * fetched again. What has no checksum of its own (a part of a frame, a hole) is given up too. The inode's lock is held.
 */
final class Verification {
    private static final Logger LOG = LoggerFactory.getLogger(Verification.class);

    private Verification() {}

    /** @param extents those that overlap the range, in order */
    static void verify(OpenInode in, long from, long to, List<Extent> extents) {
        long wrong = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment frame = arena.allocate(FrameTable.MAX_FRAME_BYTES);
            for (Extent extent : extents) {
                if (extent.kind() != ExtentKind.UNWRITTEN) {
                    wrong += verifyExtent(in, from, to, extent, frame);
                }
            }
        }
        for (Range rest : in.file().unverified(from, to)) {
            giveUp(in, rest.offset(), rest.end());
        }
        if (wrong > 0) {
            LOG.warn("the cache file was changed by something else: inode={} wrongBytes={}", in.inode, wrong);
        }
    }

    private static long verifyExtent(OpenInode in, long from, long to, Extent extent, MemorySegment frame) {
        if (extent.frames() == null) {
            return verifyPlain(in, from, to, extent);
        }
        long wrong = 0;
        for (FramePart part : FramePart.of(extent)) {
            if (isWanted(in, Math.max(from, part.offset()), Math.min(to, part.end()))) {
                MemorySegment bytes = frame.asSlice(0, part.length());
                if (!(part.whole() && isRead(in, part.offset(), bytes) && part.is(bytes))) {
                    giveUp(in, part.offset(), part.end());
                    wrong += part.whole() ? part.length() : 0;
                }
                in.file().verified(part.offset(), part.end());
            }
        }
        return wrong;
    }

    private static long verifyPlain(OpenInode in, long from, long to, Extent extent) {
        if (!isWanted(in, Math.max(from, extent.offset()), Math.min(to, extent.end()))) {
            return 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(extent.length());
            boolean same = isRead(in, extent.offset(), bytes)
                    && extent.data() != null
                    && bytes.mismatch(MemorySegment.ofArray(extent.data())) < 0;
            if (!same) {
                giveUp(in, extent.offset(), extent.end());
            }
            in.file().verified(extent.offset(), extent.end());
            return same ? 0 : extent.length();
        }
    }

    private static boolean isWanted(OpenInode in, long from, long to) {
        return from < to && !in.file().unverified(from, to).isEmpty();
    }

    private static boolean isRead(OpenInode in, long offset, MemorySegment bytes) {
        return in.file().absent(offset, bytes.byteSize()).isEmpty() && in.file().read(offset, bytes);
    }

    private static void giveUp(OpenInode in, long from, long to) {
        in.file().invalidate(from, to - from);
        in.file().verified(from, to);
    }
}
