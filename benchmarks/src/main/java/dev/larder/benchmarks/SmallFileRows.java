package dev.larder.benchmarks;

import static dev.larder.linux.OpenFlags.O_APPEND;
import static dev.larder.linux.OpenFlags.O_CLOEXEC;
import static dev.larder.linux.OpenFlags.O_CREAT;
import static dev.larder.linux.OpenFlags.O_EXCL;
import static dev.larder.linux.OpenFlags.O_RDONLY;
import static dev.larder.linux.OpenFlags.O_WRONLY;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Files of 4 KiB and 128 KiB, and appends. */
final class SmallFileRows {
    private static final int SMALL = 4096;
    private static final int SAMPLE = 128 * 1024;

    private SmallFileRows() {}

    private enum Cache {
        COLD,
        LOCAL,
        WARM
    }

    static List<Row> all(double scale) {
        List<Row> rows = new ArrayList<>();
        int count = (int) (4_000 * scale);
        int samples = (int) (2_000 * scale);
        int appends = (int) (10_000 * scale);
        rows.add(new Row("write 4 KiB files 8t", "1/s", target -> write(target, count, SMALL, false)));
        rows.add(new Row("write + fsync 4 KiB files 8t", "1/s", target -> write(target, count, SMALL, true)));
        rows.add(new Row("read 4 KiB files 8t, cold", "1/s", target -> read(target, count, SMALL, Cache.COLD)));
        rows.add(new Row("read 4 KiB files 8t, local cache", "1/s", target -> read(target, count, SMALL, Cache.LOCAL)));
        rows.add(new Row("read 4 KiB files 8t, warm", "1/s", target -> read(target, count, SMALL, Cache.WARM)));
        rows.add(new Row("write 128 KiB files 8t", "1/s", target -> write(target, samples, SAMPLE, false)));
        rows.add(new Row("128 KiB files 8t, epoch 1 cold", "1/s", t -> read(t, samples, SAMPLE, Cache.COLD)));
        rows.add(new Row("128 KiB files 8t, epoch 2 local cache", "1/s", t -> read(t, samples, SAMPLE, Cache.LOCAL)));
        rows.add(new Row("128 KiB files 8t, epoch 3 warm", "1/s", t -> read(t, samples, SAMPLE, Cache.WARM)));
        rows.add(new Row("append 100 bytes", "1/s", target -> append(target, appends, false)));
        rows.add(new Row("append 100 bytes + fsync", "1/s", target -> append(target, appends / 10, true)));
        return rows;
    }

    private static Path file(Target target, int number) {
        return target.directory().resolve("f" + number);
    }

    private static double write(Target target, int count, int size, boolean fsync) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = random(arena, size);
            return Workers.rate(target, 8, count, number -> {
                try (Descriptor file =
                        LinuxFile.open(file(target, number), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644)) {
                    LinuxFile.pwriteFully(file.number(), bytes, 0);
                    if (fsync) {
                        LinuxFile.fsync(file.number());
                    }
                }
            });
        }
    }

    private static double read(Target target, int count, int size, Cache cache) throws IOException {
        write(target, count, size, false);
        if (cache == Cache.COLD) {
            target.cold();
        } else {
            readAll(target, count, size);
            if (cache == Cache.LOCAL) {
                target.localCache();
            }
        }
        return readAll(target, count, size);
    }

    private static double readAll(Target target, int count, int size) throws IOException {
        return Workers.rate(target, 8, count, number -> {
            try (Arena arena = Arena.ofConfined();
                    Descriptor file = LinuxFile.open(file(target, number), O_RDONLY | O_CLOEXEC, 0)) {
                if (LinuxFile.preadFully(file.number(), arena.allocate(size), 0) != size) {
                    throw new IOException("short read of " + file(target, number));
                }
            }
        });
    }

    private static double append(Target target, int count, boolean fsync) throws IOException {
        try (Arena arena = Arena.ofShared();
                Descriptor file = LinuxFile.open(
                        target.directory().resolve("log"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644)) {
            MemorySegment record = random(arena, 100);
            return Workers.rate(target, 1, count, _ -> {
                LinuxFile.write(file.number(), record);
                if (fsync) {
                    LinuxFile.fsync(file.number());
                }
            });
        }
    }

    private static MemorySegment random(Arena arena, int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }
}
