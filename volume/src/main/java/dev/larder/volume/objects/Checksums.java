package dev.larder.volume.objects;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** CRC32C (RFC 3720, Castagnoli) over memory of at most 2 GiB; off the heap it is the CPU's own instruction. */
final class Checksums {
    private Checksums() {}

    static int crc32c(MemorySegment... parts) {
        CRC32C crc = new CRC32C();
        for (MemorySegment part : parts) {
            crc.update(part.asByteBuffer());
        }
        return (int) crc.getValue();
    }
}
