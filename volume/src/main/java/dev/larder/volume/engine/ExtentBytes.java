package dev.larder.volume.engine;

import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.objects.SegmentStore;
import dev.larder.volume.objects.SegmentStore.FrameConsumer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Reads an extent's bytes wherever they are, always into native memory: the cache hands them to the kernel. */
final class ExtentBytes {
    private ExtentBytes() {}

    /** As {@link SegmentStore#read}; also what a later write left of an inline content, which has no frames. */
    static void read(SegmentStore segments, Extent extent, long from, long to, FrameConsumer consumer)
            throws IOException {
        if (extent.kind() != ExtentKind.INLINE) {
            segments.read(extent, from, to, consumer);
        } else if (extent.frames() == null) {
            inNative(MemorySegment.ofArray(extent.data()), extent.skip(), consumer);
        } else {
            segments.read(extent, from, to, (at, bytes) -> inNative(bytes, at, consumer));
        }
    }

    private static void inNative(MemorySegment bytes, long at, FrameConsumer consumer) {
        if (bytes.isNative()) {
            consumer.frame(at, bytes);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(bytes.byteSize());
            copy.copyFrom(bytes);
            consumer.frame(at, copy);
        }
    }
}
