package dev.larder.volume.objects;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;

/** What {@link ObjectStore#probe} does in every store: a small object is written, read back, compared and deleted. */
final class StoreProbe {
    private static final String TEXT = "larder checks that it can write, read and delete here\n";

    private StoreProbe() {}

    static void run(ObjectStore store) throws IOException {
        String key = "larder-probe-" + UUID.randomUUID();
        try (Arena arena = Arena.ofShared()) {
            byte[] text = TEXT.getBytes(StandardCharsets.US_ASCII);
            MemorySegment written = arena.allocate(text.length).copyFrom(MemorySegment.ofArray(text));
            MemorySegment read = arena.allocate(text.length);
            store.put(key, written);
            try {
                store.get(key, 0, read);
            } finally {
                store.delete(List.of(key));
            }
            if (read.mismatch(written) != -1) {
                throw new CorruptContentException(store.describe() + " gave back other bytes than were written to it");
            }
        }
    }
}
