package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.cache.NodeCache.Provenance;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random operations against a model that knows each dirty byte and each byte's true content. One thread per file writes,
 * commits and cuts; others fill what is true at their epoch and read; the cache is small, so it evicts all the time.
 */
final class CacheModelTest {
    private static final UUID VOLUME = new UUID(3, 4);
    private static final int FILES = 4;
    private static final int STEPS = 2500;
    private static final int SIZE = 96 * 1024;

    @TempDir
    Path directory;

    private final AtomicLong contents = new AtomicLong();
    private final AtomicLong goodReads = new AtomicLong();

    private static CacheOptions options() {
        return new CacheOptions(
                300_000, 0.95, 0.9, 0, Duration.ofSeconds(20), 2, 2, 512, CacheOptions.Policy.W_TINY_LFU);
    }

    @Test
    void agreesWithTheModel() throws Exception {
        long seed = System.nanoTime();
        System.out.println("CacheModelTest seed " + seed);
        List<Model> models = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(2 * FILES);
                DiskCache cache = DiskCache.open(directory, VOLUME, options())) {
            List<Future<?>> running = new ArrayList<>();
            for (int inode = 1; inode <= FILES; inode++) {
                Model model = new Model(inode, new Random(seed + inode));
                models.add(model);
                AtomicBoolean done = new AtomicBoolean();
                running.add(threads.submit(() -> model.change(cache, done)));
                running.add(threads.submit(() -> model.fillUntil(cache, new Random(seed - model.inode), done)));
            }
            for (Future<?> future : running) {
                future.get();
            }
            models.forEach(m -> m.check(cache));
        }
        try (DiskCache cache = DiskCache.open(directory, VOLUME, options())) {
            models.forEach(m -> m.check(cache));
            assertEquals(
                    models.stream().mapToLong(Model::dirtyCount).sum(),
                    cache.stats().dirtyBytes());
        }
        assertTrue(goodReads.get() > 100, "good reads " + goodReads);
    }

    private final class Model {
        private final long inode;
        private final Random random;
        private final byte[] bytes = new byte[SIZE];
        private final boolean[] dirty = new boolean[SIZE];

        /** The committed content: one number for all of the file, so any fill of an epoch is consistent. */
        private volatile long content;

        Model(long inode, Random random) {
            this.inode = inode;
            this.random = random;
            renew();
        }

        private void renew() {
            content = contents.incrementAndGet();
            for (int i = 0; i < SIZE; i++) {
                if (!dirty[i]) {
                    bytes[i] = Content.at(Content.of(content, 0), i);
                }
            }
        }

        int dirtyCount() {
            int count = 0;
            for (boolean each : dirty) {
                count += each ? 1 : 0;
            }
            return count;
        }

        void change(DiskCache cache, AtomicBoolean done) {
            try {
                for (int step = 0; step < STEPS; step++) {
                    try (CachedFile file = cache.open(inode)) {
                        int offset = random.nextInt(SIZE - 1);
                        step(file, offset, 1 + random.nextInt(Math.min(8000, SIZE - offset)));
                    }
                }
            } finally {
                done.set(true);
            }
        }

        private void step(CachedFile file, int offset, int length) {
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> write(file, offset, length);
                case 3 -> {
                    content = contents.incrementAndGet();
                    file.invalidate(0, SIZE);
                    renewAs(content);
                }
                case 4 -> commit(file);
                case 5 -> {
                    file.discard(offset, length);
                    clear(offset, offset + length);
                }
                case 6 -> {
                    file.truncate(offset);
                    clear(offset, SIZE);
                }
                case 7 -> file.force();
                default -> read(file, offset, length);
            }
        }

        private void renewAs(long number) {
            for (int i = 0; i < SIZE; i++) {
                if (!dirty[i]) {
                    bytes[i] = Content.at(Content.of(number, 0), i);
                }
            }
        }

        private void clear(int from, int to) {
            for (int i = from; i < to; i++) {
                dirty[i] = false;
                bytes[i] = Content.at(Content.of(content, 0), i);
            }
        }

        private void write(CachedFile file, int offset, int length) {
            byte[] written = Content.bytes(Content.of(contents.incrementAndGet(), 0), length);
            Content.write(file, offset, written);
            System.arraycopy(written, 0, bytes, offset, length);
            java.util.Arrays.fill(dirty, offset, offset + length, true);
        }

        /** The commit gives the whole file a new content, as a rewrite by the engine would. */
        private void commit(CachedFile file) {
            CachedFile.Dirty snapshot = file.dirty();
            content = contents.incrementAndGet();
            for (CachedFile.Range range : snapshot.ranges()) {
                Content.write(
                        file, range.offset(), Content.bytes(Content.of(content, range.offset()), (int) range.length()));
            }
            CachedFile.Dirty again = file.dirty();
            file.invalidate(0, SIZE);
            for (CachedFile.Range range : again.ranges()) {
                file.committed(range.offset(), range.length(), Content.of(content, range.offset()), again.sequence());
            }
            java.util.Arrays.fill(dirty, false);
            renewAs(content);
        }

        private void read(CachedFile file, int offset, int length) {
            byte[] found = Content.read(file, offset, length);
            if (found != null) {
                assertArrayEquals(java.util.Arrays.copyOfRange(bytes, offset, offset + length), found);
                goodReads.incrementAndGet();
            }
        }

        void fillUntil(DiskCache cache, Random own, AtomicBoolean done) {
            while (!done.get()) {
                try (CachedFile file = cache.open(inode)) {
                    int offset = own.nextInt(SIZE - 1);
                    int length = 1 + own.nextInt(Math.min(20_000, SIZE - offset));
                    long epoch = file.epoch();
                    Provenance now = Content.of(content, offset);
                    Content.fill(file, offset, now, length, epoch);
                }
            }
        }

        void check(DiskCache cache) {
            try (CachedFile file = cache.open(inode)) {
                Content.checkClean(file);
                RangeMap found = new RangeMap();
                file.dirty().ranges().forEach(r -> found.set(Piece.dirty(r.offset(), r.end(), 0)));
                for (int i = 0; i < SIZE; i++) {
                    assertEquals(dirty[i], found.covers(i, i + 1L), "inode " + inode + " byte " + i);
                }
                read(file, 0, SIZE);
                for (CachedFile.Range range : file.dirty().ranges()) {
                    read(file, (int) range.offset(), (int) range.length());
                }
            }
        }
    }
}
