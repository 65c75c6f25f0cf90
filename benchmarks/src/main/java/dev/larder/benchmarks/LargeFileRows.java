package dev.larder.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** One large file, by fio. */
final class LargeFileRows {
    private static final ObjectMapper JSON = new ObjectMapper();

    private LargeFileRows() {}

    private enum Cache {
        COLD,
        LOCAL,
        PAGES
    }

    static List<Row> all(double scale) {
        long megabytes = Math.max(64, (long) (2048 * scale));
        List<Row> rows = new ArrayList<>();
        rows.add(new Row("sequential write 1 MiB", "MB/s", target -> write(target, megabytes)));
        for (Cache cache : Cache.values()) {
            String at = ", " + cache.name().toLowerCase(java.util.Locale.ROOT);
            rows.add(read("sequential read 1 MiB" + at, megabytes, cache, "read", "1M", "psync", 1));
            rows.add(read("random read 4 KiB, depth 1" + at, megabytes, cache, "randread", "4k", "psync", 1));
            rows.add(read("random read 4 KiB, depth 16" + at, megabytes, cache, "randread", "4k", "libaio", 16));
            rows.add(read("random read 128 KiB, depth 1" + at, megabytes, cache, "randread", "128k", "psync", 1));
            rows.add(read("random read 128 KiB, depth 16" + at, megabytes, cache, "randread", "128k", "libaio", 16));
            rows.add(read("mmap random 4 KiB" + at, megabytes, cache, "randread", "4k", "mmap", 1));
        }
        rows.add(new Row("random write 4 KiB", "MB/s", target -> {
            write(target, megabytes / 4);
            return fio(target, megabytes / 4, "randwrite", "4k", "psync", 1, "--io_size=" + megabytes / 16 + "M");
        }));
        return rows;
    }

    private static Row read(
            String name, long megabytes, Cache cache, String pattern, String block, String engine, int depth) {
        return new Row(name, "MB/s", target -> {
            write(target, megabytes);
            if (cache == Cache.COLD) {
                target.cold();
            } else {
                fio(target, megabytes, "read", "1M", "psync", 1);
                if (cache == Cache.LOCAL) {
                    target.localCache();
                }
            }
            // The whole file, or a while of it: an eighth of it measured how a read starts.
            return fio(target, megabytes, pattern, block, engine, depth, "--runtime=8");
        });
    }

    private static double write(Target target, long megabytes) throws IOException {
        return fio(target, megabytes, "write", "1M", "psync", 1, "--end_fsync=1");
    }

    private static double fio(
            Target target, long megabytes, String pattern, String block, String engine, int depth, String... more)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "fio",
                "--name=row",
                "--filename=" + target.directory().resolve("large"),
                "--size=" + megabytes + "M",
                "--rw=" + pattern,
                "--bs=" + block,
                "--ioengine=" + engine,
                "--iodepth=" + depth,
                "--fallocate=none",
                "--invalidate=0",
                "--randrepeat=1",
                "--output-format=json"));
        if (engine.equals("libaio")) {
            command.add("--direct=1");
        }
        command.addAll(List.of(more));
        return target.measure(megabytes, () -> run(target, command, pattern));
    }

    private static double run(Target target, List<String> command, String pattern) throws IOException {
        String text = Shell.run(target.directory(), command.toArray(String[]::new));
        JsonNode job =
                JSON.readTree(text.substring(text.indexOf('{'))).path("jobs").path(0);
        return job.path(pattern.endsWith("write") ? "write" : "read")
                        .path("bw_bytes")
                        .asDouble()
                / 1e6;
    }
}
