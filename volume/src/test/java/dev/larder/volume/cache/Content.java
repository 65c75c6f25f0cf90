package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.larder.volume.cache.NodeCache.Provenance;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.UUID;

/** Bytes that follow from their provenance, so that whatever a cache calls clean can be checked. */
final class Content {
    private Content() {}

    static Provenance of(long number, long skip) {
        return new Provenance(new UUID(7, number), skip);
    }

    static byte at(Provenance provenance, long skip) {
        long mixed = (provenance.content().getLeastSignificantBits() * 31 + skip) * 0x9E3779B97F4A7C15L;
        return provenance.content().equals(Provenance.HOLE.content()) ? 0 : (byte) (mixed >>> 56);
    }

    static byte[] bytes(Provenance provenance, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = at(provenance, provenance.skip() + i);
        }
        return bytes;
    }

    static void fill(CachedFile file, long offset, Provenance provenance, int length) {
        fill(file, offset, provenance, length, file.epoch());
    }

    static void fill(CachedFile file, long offset, Provenance provenance, int length, long epoch) {
        try (Arena arena = Arena.ofConfined()) {
            file.fill(offset, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes(provenance, length)), provenance, epoch);
        }
    }

    static void write(CachedFile file, long offset, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            file.write(offset, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        }
    }

    /** null when the cache does not have it all. */
    static byte[] read(CachedFile file, long offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(length);
            return file.read(offset, buffer) ? buffer.toArray(ValueLayout.JAVA_BYTE) : null;
        }
    }

    /** Every clean range holds the bytes of its provenance, and none of them lies beyond the file's end. */
    static void checkClean(CachedFile file) {
        for (Piece piece : ((CachedFileHandle) file).pieces()) {
            if (!piece.isDirty()) {
                byte[] found = read(file, piece.start(), (int) piece.length());
                assertArrayEquals(bytes(piece.provenance(), (int) piece.length()), found, piece.toString());
            }
        }
    }
}
