package dev.larder.volume.objects;

/**
 * The bytes of a segment's object, version 1, big-endian. It describes itself: with the object alone, every content in
 * it can be found and verified. (docs/formats/segment.md is this text for readers without the source.)
 *
 * <pre>
 * header  16 bytes: magic "LARDSEG1" 8, version 1 (byte), codec (byte: 0 none, 1 zstd), flags (short, 0),
 *                   number of contents (int)
 * frames            back to back, in the order of the contents; each at most 128 KiB of a content; a content begins
 *                   a new frame. A frame whose stored length equals its length is stored plain, whatever the codec.
 * index             for every content: bytes of its frame table (int), the table as FrameTable encodes it
 * trailer 32 bytes: bytes of the index (int), CRC32C of header and index (int), CRC32C of all before the trailer (int),
 *                   reserved (int, 0), bytes of the whole object (long), magic "LARDSEGE" 8
 * </pre>
 *
 * A frame's checksum is the CRC32C of its uncompressed bytes. An unknown version, codec or flag is refused.
 */
final class SegmentFormat {
    static final long HEADER_MAGIC = 0x4c41524453454731L;
    static final long TRAILER_MAGIC = 0x4c41524453454745L;
    static final byte VERSION = 1;
    static final int HEADER_BYTES = 16;
    static final int TRAILER_BYTES = 32;
    static final int MAX_CONTENTS = 1 << 16;

    static final int FRAME_TABLE_HEADER_BYTES = 4;
    static final int FRAME_ENTRY_BYTES = 20;

    private SegmentFormat() {}

    static int indexBytes(int frames) {
        return Integer.BYTES + FRAME_TABLE_HEADER_BYTES + frames * FRAME_ENTRY_BYTES;
    }
}
