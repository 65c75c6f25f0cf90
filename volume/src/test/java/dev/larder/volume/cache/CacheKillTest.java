package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A child process works on the cache and is killed at a random moment; what it was told is compared with what is. */
final class CacheKillTest {
    private static final UUID VOLUME = new UUID(1, 2);
    private static final int ROUNDS = 8;
    private static final int FILES = 3;
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 64;

    @TempDir
    Path directory;

    private static CacheOptions options() {
        return new CacheOptions(
                1 << 30, 0.95, 0.9, 0, Duration.ofSeconds(1), 16, 16, 256, CacheOptions.Policy.W_TINY_LFU);
    }

    /** Each operation is announced before and acknowledged after: "b op file block number" and "a". */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            Random random = new Random(Long.parseLong(arguments[1]));
            long number = Long.parseLong(arguments[2]);
            try (DiskCache cache = DiskCache.open(Path.of(arguments[0]), VOLUME, options())) {
                while (true) {
                    int file = 1 + random.nextInt(FILES);
                    int block = random.nextInt(BLOCKS);
                    int operation = random.nextInt(10);
                    System.out.println("b " + operation + " " + file + " " + block + " " + ++number);
                    try (CachedFile cached = cache.open(file)) {
                        apply(cached, operation, block, number);
                    }
                    System.out.println("a");
                }
            }
        }

        private static void apply(CachedFile file, int operation, int block, long number) {
            long offset = (long) block * BLOCK;
            switch (operation) {
                case 0, 1, 2, 3 -> Content.write(file, offset, Content.bytes(Content.of(number, 0), BLOCK));
                case 4, 5, 6 -> Content.fill(file, offset, Content.of(number, 0), BLOCK);
                case 7 -> file.truncate(offset);
                case 8 -> file.discard(offset, BLOCK);
                default -> file.invalidate(offset, BLOCK);
            }
        }
    }

    /** What a block may hold as dirty: the number of the write, 0 = not dirty; two answers after an unfinished one. */
    private final long[][] dirty = new long[FILES + 1][BLOCKS];

    @Test
    void everyAcknowledgedWriteIsThereAndNoCleanRangeIsWrong() throws Exception {
        long seed = System.nanoTime();
        System.out.println("CacheKillTest seed " + seed);
        Random random = new Random(seed);
        long number = 0;
        int operations = 0;
        for (int round = 0; round < ROUNDS; round++) {
            List<String> lines = runAndKill(random.nextLong(), number, 200 + random.nextInt(3000));
            String unfinished = null;
            for (String line : lines) {
                if (line.equals("a")) {
                    model(unfinished);
                    unfinished = null;
                    operations++;
                } else {
                    unfinished = line;
                }
            }
            number += lines.size() + 1;
            check(unfinished);
        }
        assertTrue(operations > 100, "operations " + operations);
        System.out.println("CacheKillTest kills " + ROUNDS + " acknowledged " + operations);
    }

    private List<String> runAndKill(long seed, long number, int linesBeforeKill)
            throws IOException, InterruptedException {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        directory.toString(),
                        Long.toString(seed),
                        Long.toString(number))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            String line = out.readLine();
            while (line != null) {
                if (line.equals("a") || line.startsWith("b ") && line.split(" ").length == 5) {
                    lines.add(line);
                }
                if (lines.size() == linesBeforeKill) {
                    child.toHandle().destroyForcibly();
                }
                line = out.readLine();
            }
        }
        child.waitFor();
        return lines;
    }

    private void model(String line) {
        String[] words = line.split(" ");
        int operation = Integer.parseInt(words[1]);
        long[] blocks = dirty[Integer.parseInt(words[2])];
        int block = Integer.parseInt(words[3]);
        if (operation <= 3) {
            blocks[block] = Long.parseLong(words[4]);
        } else if (operation == 7) {
            java.util.Arrays.fill(blocks, block, BLOCKS, 0);
        } else if (operation == 8) {
            blocks[block] = 0;
        }
    }

    private void check(String unfinished) {
        int touchedFile = unfinished == null ? -1 : Integer.parseInt(unfinished.split(" ")[2]);
        int touchedBlock = unfinished == null ? -1 : Integer.parseInt(unfinished.split(" ")[3]);
        boolean cut = unfinished != null && unfinished.split(" ")[1].equals("7");
        try (DiskCache cache = DiskCache.open(directory, VOLUME, options())) {
            for (int inode = 1; inode <= FILES; inode++) {
                try (CachedFile file = cache.open(inode)) {
                    Content.checkClean(file);
                    RangeMap found = new RangeMap();
                    file.dirty().ranges().forEach(r -> found.set(Piece.dirty(r.offset(), r.end(), 0)));
                    for (int block = 0; block < BLOCKS; block++) {
                        boolean open = inode == touchedFile && (block == touchedBlock || cut && block > touchedBlock);
                        boolean isDirty = found.covers((long) block * BLOCK, (block + 1L) * BLOCK);
                        if (open) {
                            file.discard((long) block * BLOCK, BLOCK);
                            dirty[inode][block] = 0;
                        } else {
                            checkBlock(file, inode, block, isDirty);
                        }
                    }
                }
            }
        }
    }

    private void checkBlock(CachedFile file, int inode, int block, boolean isDirty) {
        String where = "inode " + inode + " block " + block;
        assertEquals(dirty[inode][block] != 0, isDirty, where);
        byte[] bytes = Content.read(file, (long) block * BLOCK, BLOCK);
        if (isDirty) {
            assertArrayEquals(Content.bytes(Content.of(dirty[inode][block], 0), BLOCK), bytes, where);
        }
    }
}
