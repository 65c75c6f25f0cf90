package dev.larder.volume.metadata;

import java.util.UUID;

/**
 * A run of a file's bytes. Extents of a file never overlap; what lies between them is a hole.
 *
 * <p>The bytes are those from {@code skip} on of one immutable <i>content</i>, written at once. The content's id stays
 * when the packer moves the bytes from the row into a segment or compaction into another one, so a cache is judged by
 * (content, skip), never by place.
 *
 * @param offset in the file, bytes
 * @param length bytes, positive
 * @param content identity of the content; null for UNWRITTEN
 * @param skip where in the content this extent begins, bytes
 * @param segment the object that holds the content; its high half is its session's id's; null unless SEGMENT
 * @param frames the content's {@link FrameTable}, encoded; null for UNWRITTEN and for what a later write left of an
 *     inline content when that is less than half of it
 * @param data INLINE only: the whole content as its frames say, or, without frames, just this extent's bytes, plain
 */
public record Extent(
        long offset, long length, ExtentKind kind, UUID content, long skip, UUID segment, byte[] frames, byte[] data) {
    public long end() {
        return offset + length;
    }
}
