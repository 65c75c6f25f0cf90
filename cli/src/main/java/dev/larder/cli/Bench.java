package dev.larder.cli;

import dev.larder.protocol.ControlProtocol.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/** One thread's plain measurement of a directory. Content is random, so that nothing compresses it away. */
final class Bench {
    private static final int SMALL_BYTES = 4096;
    private static final int BLOCK_BYTES = 1 << 20;
    private static final long SEED = 42;

    private final Path directory;
    private final long largeBytes;
    private final int files;
    private final ProgressLine progress;
    private final List<Row> rows = new ArrayList<>();

    /** @param perSecond operations or bytes, for people */
    record Row(String measured, long count, long bytes, double seconds, String perSecond) {}

    private interface Step {
        void run() throws IOException;
    }

    Bench(Path directory, long largeBytes, int files, ProgressLine progress) {
        this.directory = directory;
        this.largeBytes = largeBytes;
        this.files = files;
        this.progress = progress;
    }

    List<Row> run() throws IOException {
        Path folder = Files.createTempDirectory(directory, "larder-bench-");
        try {
            smallFiles(folder);
            largeFile(folder.resolve("large"));
            return rows;
        } finally {
            try (Stream<Path> left = Files.list(folder)) {
                for (Path file : left.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private void smallFiles(Path folder) throws IOException {
        byte[] content = new byte[SMALL_BYTES];
        new Random(SEED).nextBytes(content);
        measure("write 4 KiB files", files, (long) files * SMALL_BYTES, () -> {
            for (int i = 0; i < files; i++) {
                Files.write(folder.resolve("f" + i), content);
            }
        });
        measure("stat files", files, 0, () -> {
            for (int i = 0; i < files; i++) {
                Files.getLastModifiedTime(folder.resolve("f" + i));
            }
        });
        measure("read 4 KiB files", files, (long) files * SMALL_BYTES, () -> {
            for (int i = 0; i < files; i++) {
                Files.readAllBytes(folder.resolve("f" + i));
            }
        });
        measure("remove files", files, 0, () -> {
            for (int i = 0; i < files; i++) {
                Files.delete(folder.resolve("f" + i));
            }
        });
    }

    private void largeFile(Path file) throws IOException {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        byte[] content = new byte[BLOCK_BYTES];
        new Random(SEED).nextBytes(content);
        block.put(content);
        measure("write a large file, fsync", 1, largeBytes, () -> {
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                for (long at = 0; at < largeBytes; ) {
                    block.clear().limit((int) Math.min(BLOCK_BYTES, largeBytes - at));
                    at += channel.write(block);
                    progress.show(new Progress("writing", at, largeBytes, "bytes"));
                }
                channel.force(true);
            }
        });
        measure("read it again", 1, largeBytes, () -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                long at = 0;
                for (int count = 0; count >= 0; at += Math.max(count, 0)) {
                    count = channel.read(block.clear());
                    progress.show(new Progress("reading", at, largeBytes, "bytes"));
                }
                if (at != largeBytes) {
                    throw new IOException("read " + at + " bytes of " + largeBytes);
                }
            }
        });
        Files.delete(file);
    }

    private void measure(String what, long count, long bytes, Step step) throws IOException {
        long began = System.nanoTime();
        step.run();
        double seconds = Math.max((System.nanoTime() - began) / 1e9, 1e-9);
        String rate = count == 1
                ? Units.bytes((long) (bytes / seconds)) + "/s"
                : String.format(Locale.ROOT, "%.0f", count / seconds);
        rows.add(new Row(what, count, bytes, seconds, rate));
    }
}
