package dev.larder.volume.metadata;

import java.nio.ByteBuffer;

/**
 * How a content is cut into frames, each compressed, encrypted and checksummed alone so that ranges can be read.
 * Encoded big-endian: version byte 1, codec byte, two zero bytes (key id), then a 20-byte entry a frame: length (int),
 * stored offset in the object (long), stored length (int), CRC32C of the uncompressed bytes (int). Stored; a change is a
 * new version.
 */
public final class FrameTable {
    /** Frames hold at most this many bytes. */
    public static final int MAX_FRAME_BYTES = 128 * 1024;

    public static final int CODEC_NONE = 0;
    public static final int CODEC_ZSTD = 1;

    private static final byte VERSION = 1;
    private static final int HEADER_BYTES = 4;
    private static final int ENTRY_BYTES = 20;

    private final byte[] encoded;
    private final ByteBuffer buffer;

    private FrameTable(byte[] encoded) {
        this.encoded = encoded;
        this.buffer = ByteBuffer.wrap(encoded);
    }

    public static FrameTable decode(byte[] encoded) {
        if (encoded.length < HEADER_BYTES
                || encoded[0] != VERSION
                || (encoded.length - HEADER_BYTES) % ENTRY_BYTES != 0) {
            throw new IllegalArgumentException("not a frame table of version " + VERSION);
        }
        return new FrameTable(encoded);
    }

    /** A table of {@code count} frames to be {@link #set}. */
    public static FrameTable of(int codec, int count) {
        byte[] encoded = new byte[HEADER_BYTES + count * ENTRY_BYTES];
        encoded[0] = VERSION;
        encoded[1] = (byte) codec;
        return new FrameTable(encoded);
    }

    public void set(int frame, int length, long storedOffset, int storedLength, int crc32c) {
        int at = at(frame);
        buffer.putInt(at, length)
                .putLong(at + 4, storedOffset)
                .putInt(at + 12, storedLength)
                .putInt(at + 16, crc32c);
    }

    public byte[] encoded() {
        return encoded;
    }

    public int codec() {
        return buffer.get(1);
    }

    public int count() {
        return (encoded.length - HEADER_BYTES) / ENTRY_BYTES;
    }

    /** Uncompressed bytes of a frame. */
    public int length(int frame) {
        return buffer.getInt(at(frame));
    }

    public long storedOffset(int frame) {
        return buffer.getLong(at(frame) + 4);
    }

    public int storedLength(int frame) {
        return buffer.getInt(at(frame) + 12);
    }

    public int crc32c(int frame) {
        return buffer.getInt(at(frame) + 16);
    }

    private static int at(int frame) {
        return HEADER_BYTES + frame * ENTRY_BYTES;
    }
}
