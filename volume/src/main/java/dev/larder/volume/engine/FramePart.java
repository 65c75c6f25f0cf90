package dev.larder.volume.engine;

import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.FrameTable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What an extent has of one of its frames, where it lies in the file.
 *
 * @param whole the extent has all of the frame; a part has no checksum of its own
 * @param crc32c of the whole frame
 */
record FramePart(long offset, long length, boolean whole, int crc32c) {
    /** In order; the extent has a frame table. */
    static List<FramePart> of(Extent extent) {
        FrameTable frames = FrameTable.decode(extent.frames());
        List<FramePart> parts = new ArrayList<>(frames.count());
        long content = 0;
        for (int i = 0; i < frames.count(); i++) {
            long start = Math.max(content, extent.skip());
            long end = Math.min(content + frames.length(i), extent.skip() + extent.length());
            if (start < end) {
                boolean whole = end - start == frames.length(i);
                parts.add(new FramePart(extent.offset() + start - extent.skip(), end - start, whole, frames.crc32c(i)));
            }
            content += frames.length(i);
        }
        return parts;
    }

    long end() {
        return offset + length;
    }

    /** The bytes are the frame's for certain. */
    boolean is(MemorySegment bytes) {
        if (!whole) {
            return false;
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes.asByteBuffer());
        return (int) crc.getValue() == crc32c;
    }
}
