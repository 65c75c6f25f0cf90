package dev.larder.volume.objects;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.foreign.MemorySegment;

/** Turns stored frames into verified bytes. Used by one thread. */
final class FrameDecoder implements AutoCloseable {
    private final MemorySegment scratch;
    private ZstdDecompressCtx zstd;

    /** @param scratch off the heap, for one uncompressed frame; may be empty when all frames are plain */
    FrameDecoder(MemorySegment scratch) {
        this.scratch = scratch;
    }

    /** @return the frame's bytes, valid until the next call; null when they are not what was written */
    MemorySegment decode(FrameRuns.Frame frame, MemorySegment stored) {
        MemorySegment bytes = frame.plain() ? stored : decompress(frame, stored);
        return bytes != null && Checksums.crc32c(bytes) == frame.crc32c() ? bytes.asReadOnly() : null;
    }

    private MemorySegment decompress(FrameRuns.Frame frame, MemorySegment stored) {
        if (zstd == null) {
            zstd = new ZstdDecompressCtx();
        }
        MemorySegment into = scratch.asSlice(0, frame.length());
        try {
            int length = zstd.decompressDirectByteBuffer(
                    into.asByteBuffer(), 0, frame.length(), stored.asByteBuffer(), 0, frame.storedLength());
            return length == frame.length() ? into : null;
        } catch (ZstdException corrupt) {
            return null;
        }
    }

    @Override
    public void close() {
        if (zstd != null) {
            zstd.close();
        }
    }
}
