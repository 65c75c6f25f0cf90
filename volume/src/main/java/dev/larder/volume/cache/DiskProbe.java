package dev.larder.volume.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Whether a disk that failed takes and gives bytes again. */
final class DiskProbe {
    private static final int BYTES = 4096;

    private DiskProbe() {}

    static void run(Disk disk, Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(BYTES);
            int descriptor = disk.open(file);
            try {
                disk.write(descriptor, buffer, 0);
                disk.force(descriptor);
                disk.read(descriptor, buffer, 0);
            } finally {
                disk.close(descriptor);
            }
            disk.unlink(file);
        }
    }
}
