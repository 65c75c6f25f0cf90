package dev.larder.volume.objects;

import dev.larder.volume.metadata.FrameTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Reads one segment's object and verifies it from header to trailer, without the metadata. */
public final class SegmentVerifier {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    /** Contents, an index of the most contents there can be, header and trailer. */
    private static final long MAX_OBJECT_BYTES = SegmentStore.MAX_SEGMENT_BYTES + (4L << 20);

    private final ObjectStore store;

    public SegmentVerifier(ObjectStore store) {
        this.store = store;
    }

    /**
     * @param what a short stable code, such as frame-corrupt
     * @param detail for people
     */
    public record Finding(String what, String detail) {}

    /**
     * @param contents frame tables, in order; empty when the index cannot be trusted
     * @param findings empty when the object is sound
     */
    public record Report(UUID segment, long sizeBytes, List<byte[]> contents, List<Finding> findings) {
        public boolean sound() {
            return findings.isEmpty();
        }
    }

    /** @throws IOException the object cannot be read (that it is missing too): nothing is known about it */
    public Report verify(UUID segment) throws IOException {
        String key = SegmentKey.of(segment);
        long size = store.size(key);
        if (size < SegmentFormat.HEADER_BYTES + SegmentFormat.TRAILER_BYTES || size > MAX_OBJECT_BYTES) {
            return new Report(segment, size, List.of(), List.of(new Finding("size", size + " bytes are no segment")));
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment object = arena.allocate(size);
            store.get(key, 0, object);
            Inspection inspection = new Inspection(object);
            inspection.run();
            return new Report(segment, size, List.copyOf(inspection.tables), List.copyOf(inspection.findings));
        }
    }

    /** One object's walk. Each step finds what it can and says whether the next makes sense. */
    private static final class Inspection {
        private final MemorySegment object;
        private final long trailer;
        private final List<byte[]> tables = new ArrayList<>();
        private final List<Finding> findings = new ArrayList<>();
        private long index;

        Inspection(MemorySegment object) {
            this.object = object;
            this.trailer = object.byteSize() - SegmentFormat.TRAILER_BYTES;
        }

        void run() {
            if (header() && trailer() && index()) {
                frames();
            }
        }

        private boolean header() {
            require(object.get(LONG, 0) == SegmentFormat.HEADER_MAGIC, "header-magic", "does not begin as a segment");
            byte version = object.get(ValueLayout.JAVA_BYTE, 8);
            require(version == SegmentFormat.VERSION, "version", "version " + version + " is not known");
            require(codec() <= FrameTable.CODEC_ZSTD && codec() >= 0, "codec", "codec " + codec() + " is not known");
            require(object.get(ValueLayout.JAVA_SHORT_UNALIGNED, 10) == 0, "flags", "unknown flags are set");
            return findings.isEmpty();
        }

        private boolean trailer() {
            require(object.get(LONG, trailer + 24) == SegmentFormat.TRAILER_MAGIC, "trailer-magic", "is cut short");
            long length = object.get(LONG, trailer + 16);
            require(length == object.byteSize(), "length", "says it has " + length + " bytes");
            require(object.get(INT, trailer + 12) == 0, "reserved", "the trailer's reserved bytes are not zero");
            int indexBytes = object.get(INT, trailer);
            index = trailer - indexBytes;
            require(
                    indexBytes >= 0 && index >= SegmentFormat.HEADER_BYTES,
                    "index-length",
                    "an index of " + indexBytes + " bytes does not fit");
            return findings.isEmpty();
        }

        private boolean index() {
            MemorySegment header = object.asSlice(0, SegmentFormat.HEADER_BYTES);
            int crc = Checksums.crc32c(header, object.asSlice(index, trailer - index));
            require(
                    crc == object.get(INT, trailer + 4),
                    "index-corrupt",
                    "header or index do not match their checksum");
            require(
                    Checksums.crc32c(object.asSlice(0, trailer)) == object.get(INT, trailer + 8),
                    "object-corrupt",
                    "the object does not match its checksum");
            return crc == object.get(INT, trailer + 4) && tables();
        }

        private boolean tables() {
            long at = index;
            while (at < trailer) {
                int length = trailer - at < Integer.BYTES ? -1 : object.get(INT, at);
                if (length < 0 || length > trailer - at - Integer.BYTES) {
                    require(false, "index", "a frame table leaves the index at byte " + at);
                    return false;
                }
                tables.add(object.asSlice(at + Integer.BYTES, length).toArray(ValueLayout.JAVA_BYTE));
                at += Integer.BYTES + length;
            }
            int contents = object.get(INT, 12);
            require(contents == tables.size(), "contents", "has " + tables.size() + " of " + contents + " contents");
            return true;
        }

        private void frames() {
            try (Arena arena = Arena.ofConfined();
                    FrameDecoder decoder = new FrameDecoder(arena.allocate(FrameTable.MAX_FRAME_BYTES))) {
                long at = SegmentFormat.HEADER_BYTES;
                for (int content = 0; content < tables.size(); content++) {
                    at = content(content, at, decoder);
                }
                require(at == index, "gap", "frames end at byte " + at + ", the index begins at " + index);
            }
        }

        private long content(int content, long begin, FrameDecoder decoder) {
            long at = begin;
            try {
                FrameTable table = FrameTable.decode(tables.get(content));
                require(table.codec() == codec(), "codec", "content " + content + " has another codec");
                for (FrameRuns.Frame frame : FrameRuns.overlapping(table, 0, length(table))) {
                    String name = "frame " + frame.number() + " of content " + content;
                    require(frame.storedOffset() == at, "gap", name + " does not begin where the last one ended");
                    boolean inside = frame.storedOffset() >= SegmentFormat.HEADER_BYTES
                            && frame.storedOffset() + frame.storedLength() <= index;
                    boolean sound = inside
                            && decoder.decode(frame, object.asSlice(frame.storedOffset(), frame.storedLength()))
                                    != null;
                    require(
                            sound,
                            "frame-corrupt",
                            name + " at byte " + frame.storedOffset() + " is not what was written");
                    at = frame.storedOffset() + frame.storedLength();
                }
            } catch (IllegalArgumentException | CorruptContentException impossible) {
                require(false, "frame-table", "content " + content + ": " + impossible.getMessage());
            }
            return at;
        }

        private static long length(FrameTable table) {
            long length = 0;
            for (int frame = 0; frame < table.count(); frame++) {
                length += Math.max(0, table.length(frame));
            }
            return length;
        }

        private int codec() {
            return object.get(ValueLayout.JAVA_BYTE, 9);
        }

        private void require(boolean holds, String what, String detail) {
            if (!holds) {
                findings.add(new Finding(what, detail));
            }
        }
    }
}
