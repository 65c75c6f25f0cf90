package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.testing.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/** Files in a cache that is too small for them, by several threads, through crashes and remounts, against byte arrays. */
final class ContentsModelTest {
    private static final int FILES = 3;
    private static final int MAX_BYTES = 1_500_000;
    private static final int ROUNDS = 6;
    private static final int OPERATIONS = 60;
    private static final ContentOptions BUSY = new ContentOptions(
            64 << 10, 8 << 20, 0, 1, 256 << 20, Duration.ofMillis(50), Duration.ofSeconds(20), 2, 2, 8);

    private static final class Model {
        final long inode;
        byte[] bytes = new byte[0];

        Model(long inode) {
            this.inode = inode;
        }

        void write(int offset, byte[] patch) {
            if (offset + patch.length > bytes.length) {
                bytes = Arrays.copyOf(bytes, offset + patch.length);
            }
            System.arraycopy(patch, 0, bytes, offset, patch.length);
        }
    }

    @TempDir
    Path directory;

    @RepeatedTest(3)
    void everyReadAgreesWithAReference() throws Exception {
        long seed = Long.getLong("larder.test.seed", System.nanoTime());
        System.out.println("ContentsModelTest -Dlarder.test.seed=" + seed);
        Random random = new Random(seed);
        try (TestDatabase database = TestDatabase.create();
                PostgresMetadata session = database.open();
                DirectoryStore store = DirectoryStore.open(directory.resolve("objects"))) {
            List<Model> models = files(session);
            int cacheNumber = 0;
            for (int round = 0; round < ROUNDS; round++) {
                ContentNode node = new ContentNode(
                        session,
                        store,
                        directory.resolve("cache" + cacheNumber),
                        24L << 20,
                        BUSY,
                        new RecordingKernel(),
                        true);
                operate(node, models, random);
                if (random.nextBoolean()) {
                    node.abandon();
                } else {
                    node.close();
                    cacheNumber += random.nextInt(2);
                }
            }
            try (ContentNode last =
                    new ContentNode(session, store, directory.resolve("cache" + cacheNumber), 24L << 20)) {
                last.contents.flushAll();
            }
            try (ContentNode fresh = new ContentNode(session, store, directory.resolve("fresh"), 2L << 20)) {
                for (Model model : models) {
                    assertArrayEquals(model.bytes, fresh.load(model.inode, MAX_BYTES * 2), "seed " + seed);
                }
            }
            assertEquals(List.of(), session.maintenance().check(false, rows -> {}), "fsck after all");
        }
    }

    private static List<Model> files(PostgresMetadata session) {
        long first = session.leaseInodes(FILES);
        List<Model> models = new ArrayList<>();
        for (long inode = first; inode < first + FILES; inode++) {
            session.create(
                    Op.NONE,
                    Attributes.ROOT,
                    FileName.of("f" + inode),
                    new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
            models.add(new Model(inode));
        }
        return models;
    }

    private static void operate(ContentNode node, List<Model> models, Random random) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(FILES)) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (Model model : models) {
                Random own = new Random(random.nextLong());
                tasks.add(() -> {
                    Opened opened = node.open(model.inode, ContentNode.O_RDWR);
                    for (int i = 0; i < OPERATIONS; i++) {
                        step(node, model, opened, own);
                    }
                    node.contents.release(model.inode, opened.handle());
                    return null;
                });
            }
            for (Future<Void> done : threads.invokeAll(tasks, 2, TimeUnit.MINUTES)) {
                done.get();
            }
        }
    }

    private static void step(ContentNode node, Model model, Opened opened, Random random) {
        switch (random.nextInt(12)) {
            case 0, 1, 2, 3 -> {
                byte[] patch = new byte[1 + random.nextInt(random.nextInt(4) == 0 ? 300_000 : 3000)];
                random.nextBytes(patch);
                int offset = random.nextInt(MAX_BYTES - patch.length);
                node.write(model.inode, opened.handle(), offset, patch);
                model.write(offset, patch);
            }
            case 4 -> {
                int size = random.nextInt(MAX_BYTES);
                node.truncate(model.inode, size);
                model.bytes = Arrays.copyOf(model.bytes, size);
            }
            case 5 -> node.contents.flush(Op.NONE, model.inode);
            case 6 -> node.contents.fsync(model.inode, false);
            case 7 -> {
                int offset = random.nextInt(MAX_BYTES);
                int length = 1 + random.nextInt(200_000);
                node.contents.fallocate(Op.NONE, model.inode, offset, length, 3);
                if (offset < model.bytes.length) {
                    Arrays.fill(model.bytes, offset, Math.min(model.bytes.length, offset + length), (byte) 0);
                }
            }
            case 8 -> node.contents.changed(model.inode, 0, 0);
            default -> {
                int offset = random.nextInt(MAX_BYTES);
                int length = random.nextInt(200_000);
                byte[] expected = offset >= model.bytes.length
                        ? new byte[0]
                        : Arrays.copyOfRange(model.bytes, offset, Math.min(model.bytes.length, offset + length));
                assertArrayEquals(expected, node.read(model.inode, offset, length), "inode " + model.inode);
                assertEquals(model.bytes.length, node.attributes(model.inode).size());
            }
        }
    }
}
