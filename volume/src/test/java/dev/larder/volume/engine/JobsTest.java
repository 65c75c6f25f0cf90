package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packer, the collector and the checker on a real database and a directory store. */
class JobsTest {
    private static final long ROOT = Attributes.ROOT;
    private static final int FILES = 10_000;

    @TempDir
    private Path directory;

    @Test
    void tenThousandSmallFilesNeedFewPuts() throws IOException {
        try (TestDatabase database = TestDatabase.create();
                TestMount mount = TestMount.of(database, directory, "one")) {
            long parent = mount.mkdir(ROOT, "d").inode();
            Random random = new Random(1);
            byte[] bytes = new byte[64 << 10];
            random.nextBytes(bytes);
            for (int i = 0; i < FILES; i++) {
                int length = 4096 + random.nextInt(12 << 10);
                mount.file(parent, "f" + i, Arrays.copyOf(bytes, length));
            }
            mount.mounted().admin().pack();
            assertTrue(mount.puts() <= 100, "PUTs: " + mount.puts());
            assertEquals("0", database.ask("SELECT count(*) FROM larder.extent WHERE kind = 0"));
            assertEquals(List.of(), mount.mounted().admin().check(false, true, length -> {}).findings());
        }
    }

    @Test
    void theCollectorDeletesGarbageOnly() throws IOException {
        try (TestDatabase database = TestDatabase.withoutTrash();
                TestMount mount = TestMount.of(database, directory, "one")) {
            mount.file(ROOT, "gone", "x".repeat(1000));
            mount.mounted().admin().pack();
            long kept = mount.file(ROOT, "kept", "still here");
            mount.mounted().admin().pack();
            assertEquals(2, objects());
            mount.unlink(ROOT, "gone");
            Collector.Ages now = new Collector.Ages(Duration.ZERO, Duration.ZERO);
            mount.until("the object is deleted", () -> {
                collect(mount, now);
                return objects() == 1;
            });
            collect(mount, now);
            assertEquals(1, objects());
            assertEquals("still here", mount.read(kept));
            assertEquals(List.of(), mount.mounted().admin().check(false, true, length -> {}).findings());
        }
    }

    private static void collect(TestMount mount, Collector.Ages ages) {
        try {
            mount.mounted().admin().collect(ages);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private long objects() {
        try (Stream<Path> files = Files.walk(directory.resolve("objects"))) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString().matches("[0-9a-f]{16}"))
                    .count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
