package dev.larder.volume.objects;

import dev.larder.volume.metadata.Extent;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.UUID;

/**
 * Contents in segments: frames, compression, checksums, parallel transfers within a memory budget. A segment is an
 * object that describes itself (magic, version, frame index, checksums), so that it can be verified without the
 * metadata.
 */
public interface SegmentStore {
    /** A segment holds at most this many bytes of contents. */
    long MAX_SEGMENT_BYTES = 8L << 20;

    /** A new id of this session: its high half is the session's, its low half random. */
    UUID newSegment();

    /**
     * Writes contents into one segment; durable when it returns.
     *
     * @param contents together at most {@link #MAX_SEGMENT_BYTES}
     * @return a frame table each, in order, encoded
     */
    List<byte[]> writeFrom(UUID segment, List<Source> contents) throws IOException;

    /** As {@link #writeFrom}, of bytes in memory. */
    default List<byte[]> write(UUID segment, List<MemorySegment> contents) throws IOException {
        return writeFrom(segment, contents.stream().map(Source::of).toList());
    }

    /**
     * Reads the frames that overlap [from, to) of an extent's content (content coordinates: the extent covers skip to
     * skip + length), inline ones too, verified. Frames are delivered whole, in any order, from several threads, all
     * before it returns.
     *
     * @throws CorruptContentException the stored bytes are not what was written; never are wrong bytes delivered
     */
    void read(Extent extent, long from, long to, FrameConsumer consumer) throws IOException;

    /** The frame table and checksum of a small content that stays in its row. */
    byte[] inlineFrames(MemorySegment content);

    /** A content that is to be written; each byte is asked for once in a {@link #writeFrom}, in order, by one thread. */
    interface Source {
        long byteSize();

        /** Fills the whole of {@code into} with what begins at the offset. */
        void read(long offset, MemorySegment into);

        static Source of(MemorySegment bytes) {
            return new Source() {
                @Override
                public long byteSize() {
                    return bytes.byteSize();
                }

                @Override
                public void read(long offset, MemorySegment into) {
                    into.copyFrom(bytes.asSlice(offset, into.byteSize()));
                }
            };
        }
    }

    /** Takes verified frames; the bytes are valid during the call only. */
    @FunctionalInterface
    interface FrameConsumer {
        /** @param contentOffset where the frame begins in its content */
        void frame(long contentOffset, MemorySegment bytes);
    }
}
