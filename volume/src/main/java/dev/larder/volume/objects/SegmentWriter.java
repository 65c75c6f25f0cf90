package dev.larder.volume.objects;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.objects.SegmentStore.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Encodes one segment into a buffer, see {@link SegmentFormat}. Used once, by one thread. */
final class SegmentWriter implements AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final MemorySegment into;
    private final int codec;
    private final ZstdCompressCtx zstd;
    private final Arena arena = Arena.ofConfined();
    /** A frame that is to be compressed. */
    private final MemorySegment plain;

    private final List<byte[]> tables = new ArrayList<>();
    private long position = SegmentFormat.HEADER_BYTES;

    /** @param into at least {@link #maxBytes} */
    SegmentWriter(MemorySegment into, SegmentOptions.Codec codec, int level) {
        this.into = into;
        this.codec = codec.number();
        this.zstd = codec == SegmentOptions.Codec.ZSTD ? new ZstdCompressCtx().setLevel(level) : null;
        this.plain = zstd == null ? MemorySegment.NULL : arena.allocate(FrameTable.MAX_FRAME_BYTES);
    }

    /** The most bytes that a segment of these contents takes: no frame is stored longer than it is. */
    static long maxBytes(List<Source> contents) {
        long bytes = SegmentFormat.HEADER_BYTES + SegmentFormat.TRAILER_BYTES;
        for (Source content : contents) {
            bytes += content.byteSize() + SegmentFormat.indexBytes(frames(content.byteSize()));
        }
        return bytes;
    }

    /** @return the object's bytes, a part of the buffer */
    MemorySegment write(List<Source> contents) {
        contents.forEach(this::append);
        return seal(contents.size());
    }

    /** A frame table each, in the contents' order. */
    List<byte[]> tables() {
        return List.copyOf(tables);
    }

    @Override
    public void close() {
        if (zstd != null) {
            zstd.close();
        }
        arena.close();
    }

    static int frames(long bytes) {
        return Math.toIntExact(Math.ceilDiv(bytes, FrameTable.MAX_FRAME_BYTES));
    }

    /** A frame that is stored as it is goes straight to its place. */
    private void append(Source content) {
        FrameTable table = FrameTable.of(codec, frames(content.byteSize()));
        for (int frame = 0; frame < table.count(); frame++) {
            long from = (long) frame * FrameTable.MAX_FRAME_BYTES;
            int length = (int) Math.min(FrameTable.MAX_FRAME_BYTES, content.byteSize() - from);
            MemorySegment bytes = zstd == null ? into.asSlice(position, length) : plain.asSlice(0, length);
            content.read(from, bytes);
            int stored = zstd == null ? length : compress(bytes);
            if (zstd != null && stored == length) {
                into.asSlice(position, length).copyFrom(bytes);
            }
            table.set(frame, length, position, stored, Checksums.crc32c(bytes));
            position += stored;
        }
        tables.add(table.encoded());
    }

    /** @return the stored length; the frame's own when it does not shrink, and then nothing is stored yet */
    private int compress(MemorySegment bytes) {
        int length = (int) bytes.byteSize();
        ByteBuffer place = into.asSlice(position, length).asByteBuffer();
        try {
            int stored = zstd.compressDirectByteBuffer(place, 0, length, bytes.asByteBuffer(), 0, length);
            return Math.min(stored, length);
        } catch (ZstdException doesNotFit) {
            return length;
        }
    }

    private MemorySegment seal(int contents) {
        into.set(LONG, 0, SegmentFormat.HEADER_MAGIC);
        into.set(ValueLayout.JAVA_BYTE, 8, SegmentFormat.VERSION);
        into.set(ValueLayout.JAVA_BYTE, 9, (byte) codec);
        into.set(ValueLayout.JAVA_SHORT_UNALIGNED, 10, (short) 0);
        into.set(INT, 12, contents);

        long index = position;
        for (byte[] table : tables) {
            into.set(INT, position, table.length);
            MemorySegment.copy(table, 0, into, ValueLayout.JAVA_BYTE, position + Integer.BYTES, table.length);
            position += Integer.BYTES + table.length;
        }

        MemorySegment header = into.asSlice(0, SegmentFormat.HEADER_BYTES);
        long trailer = position;
        into.set(INT, trailer, Math.toIntExact(trailer - index));
        into.set(INT, trailer + 4, Checksums.crc32c(header, into.asSlice(index, trailer - index)));
        into.set(INT, trailer + 8, Checksums.crc32c(into.asSlice(0, trailer)));
        into.set(INT, trailer + 12, 0);
        into.set(LONG, trailer + 16, trailer + SegmentFormat.TRAILER_BYTES);
        into.set(LONG, trailer + 24, SegmentFormat.TRAILER_MAGIC);
        return into.asSlice(0, trailer + SegmentFormat.TRAILER_BYTES);
    }
}
