package dev.larder.volume.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.function.LongConsumer;

/** Prints ns per 4 KiB write() and read() beside bare pwrite and pread; argument: a directory. */
final class CacheSpeed {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 16_384;
    private static final int ROUNDS = 15;

    private CacheSpeed() {}

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createTempDirectory(Path.of(arguments[0]), "cache-speed");
        LinuxDisk disk = new LinuxDisk();
        int bare = disk.open(directory.resolve("bare"));
        try (DiskCache cache = DiskCache.open(
                        directory.resolve("cache"), UUID.randomUUID(), CacheOptions.ofCapacity(1L << 30));
                CachedFile file = cache.open(1);
                Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(BLOCK, 4096);
            for (int round = 0; round < ROUNDS; round++) {
                long pwrite = each(offset -> disk.write(bare, buffer, offset));
                long write = each(offset -> file.write(offset, buffer));
                long pread = each(offset -> disk.read(bare, buffer, offset));
                long read = each(offset -> file.read(offset, buffer));
                file.dirty();
                System.out.printf("pwrite %d write %d pread %d read %d ns%n", pwrite, write, pread, read);
            }
        } finally {
            disk.close(bare);
        }
    }

    private static long each(LongConsumer operation) {
        long start = System.nanoTime();
        for (int i = 0; i < BLOCKS; i++) {
            operation.accept((long) i * BLOCK);
        }
        return (System.nanoTime() - start) / BLOCKS;
    }
}
