package dev.larder.volume.objects;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;

/** Contents for tests, off the heap, freed by the garbage collector. */
final class Bytes {
    private Bytes() {}

    static MemorySegment empty(long size) {
        return Arena.ofAuto().allocate(size);
    }

    static MemorySegment random(RandomGenerator random, long size) {
        byte[] bytes = new byte[Math.toIntExact(size)];
        random.nextBytes(bytes);
        return of(bytes);
    }

    /** Shrinks well, and no two places in it look alike. */
    static MemorySegment compressible(RandomGenerator random, long size) {
        MemorySegment bytes = empty(size);
        for (long at = 0; at + 8 <= size; at += 32) {
            bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, at, random.nextLong());
        }
        return bytes;
    }

    static MemorySegment of(byte[] bytes) {
        MemorySegment copy = empty(bytes.length);
        return copy.copyFrom(MemorySegment.ofArray(bytes));
    }
}
