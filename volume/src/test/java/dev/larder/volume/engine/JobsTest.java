package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
            assertEquals(
                    List.of(),
                    mount.mounted()
                            .admin()
                            .check(false, true, rows -> {}, (done, total) -> {})
                            .findings());
        }
    }

    @Test
    void whatLaterWritesLeftOfAContentIsPackedAndChecked() throws IOException {
        try (TestDatabase database = TestDatabase.withoutTrash();
                TestMount mount = TestMount.of(database, directory, "one")) {
            Random random = new Random(11);
            byte[] expected = new byte[40_000];
            random.nextBytes(expected);
            long inode = mount.file(ROOT, "cut", expected);
            for (int i = 0; i < 60; i++) {
                byte[] piece = new byte[1 + random.nextInt(3_000)];
                random.nextBytes(piece);
                int at = random.nextInt(expected.length - piece.length);
                System.arraycopy(piece, 0, expected, at, piece.length);
                long handle =
                        mount.fs().open(mount.op(), TestMount.CALLER, inode, 2).handle();
                mount.write(inode, handle, at, piece);
                mount.close(inode, handle);
                if (i == 30) {
                    assertSound(mount);
                    mount.mounted().admin().pack();
                }
            }
            assertSound(mount);
            mount.mounted().admin().pack();
            assertEquals("0", database.ask("SELECT count(*) FROM larder.extent WHERE kind = 0"));
            assertSound(mount);
            try (TestMount other = TestMount.of(database, directory, "two")) {
                long handle = other.open(inode);
                assertArrayEquals(expected, other.readOpen(inode, handle));
                other.close(inode, handle);
            }
        }
    }

    private static void assertSound(TestMount mount) throws IOException {
        assertEquals(
                List.of(),
                mount.mounted()
                        .admin()
                        .check(false, true, rows -> {}, (done, total) -> {})
                        .findings());
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
            assertEquals(
                    List.of(),
                    mount.mounted()
                            .admin()
                            .check(false, true, rows -> {}, (done, total) -> {})
                            .findings());
        }
    }

    @Test
    void aDryRunCountsAndChangesNothing() throws IOException {
        try (TestDatabase database = TestDatabase.withoutTrash();
                TestMount mount = TestMount.of(database, directory, "one")) {
            VolumeAdmin admin = mount.mounted().admin();
            mount.file(ROOT, "gone", "x".repeat(1000));
            admin.pack();
            mount.unlink(ROOT, "gone");
            Collector.Ages now = new Collector.Ages(Duration.ZERO, Duration.ZERO);
            mount.until("the segment has no reference", () -> {
                mount.mounted().metadata().maintenance().purgeExpiredTrash(purged -> {});
                mount.mounted().metadata().maintenance().purgeUnlinked(Duration.ZERO, purged -> {});
                return database.ask("SELECT count(*) FROM larder.extent").equals("0");
            });
            Collector.Collected would = admin.garbage(Duration.ZERO, Collector.Listener.NONE);
            assertEquals(1, would.segmentsRetired());
            assertEquals(1, would.segmentsDeleted());
            assertTrue(would.bytesDeleted() > 0, would.toString());
            assertEquals(1, objects());
            assertEquals("0", database.ask("SELECT count(*) FROM larder.segment WHERE retired IS NOT NULL"));
            assertEquals(
                    0,
                    admin.garbage(Duration.ofHours(1), Collector.Listener.NONE).segmentsRetired());

            Collector.Collected done = admin.collect(now);
            assertEquals(would.segmentsDeleted(), done.segmentsDeleted());
            assertEquals(would.bytesDeleted(), done.bytesDeleted());
            assertEquals(0, objects());
        }
    }

    @Test
    void theTrashsTimeIsTheDatabases() throws IOException {
        try (TestDatabase database = TestDatabase.create();
                TestMount mount = TestMount.of(database, directory, "one")) {
            VolumeAdmin admin = mount.mounted().admin();
            mount.file(ROOT, "gone", "x");
            mount.unlink(ROOT, "gone");
            assertEquals(1, admin.trash("/", null, 10).entries().size());
            assertEquals(
                    0,
                    admin.collect(Duration.ofHours(1), Collector.Listener.NONE).trashEntries());
            database.ask("UPDATE larder.volume SET trash = interval '0' RETURNING 1");
            assertEquals(
                    1,
                    admin.garbage(Duration.ofHours(1), Collector.Listener.NONE).trashEntries());
            assertEquals(
                    1,
                    admin.collect(Duration.ofHours(1), Collector.Listener.NONE).trashEntries());
            assertEquals(List.of(), admin.trash("/", null, 10).entries());
        }
    }

    @Test
    void aCheckCountsWhatItLookedAt() throws IOException {
        try (TestDatabase database = TestDatabase.create();
                TestMount mount = TestMount.of(database, directory, "one")) {
            VolumeAdmin admin = mount.mounted().admin();
            for (int i = 0; i < 3; i++) {
                mount.file(ROOT, "f" + i, "x".repeat(1000));
                admin.pack();
            }
            Checker.Report clean = admin.check(false, true, rows -> {}, (done, total) -> {});
            assertEquals(new Checker.Report(4, 3, 3, 0, 0, List.of()), clean);
            try (Stream<Path> files = Files.walk(directory.resolve("objects"))) {
                Files.delete(files.filter(Files::isRegularFile).findFirst().orElseThrow());
            }
            Checker.Report broken = admin.check(true, false, rows -> {}, (done, total) -> {});
            assertEquals(1, broken.count());
            assertEquals(0, broken.repaired());
            assertEquals("object-missing", broken.findings().getFirst().what());
        }
    }

    @Test
    void pathsOfCachedFilesAreFound() throws IOException {
        try (TestDatabase database = TestDatabase.create();
                TestMount mount = TestMount.of(database, directory, "one")) {
            long inner = mount.mkdir(mount.mkdir(ROOT, "a").inode(), "b").inode();
            long deep = mount.file(inner, "deep", "x");
            long top = mount.file(ROOT, "top", "x");
            List<String> paths = mount.mounted().metadata().maintenance().pathsOf(List.of(top, 999_999L, deep));
            assertEquals(Arrays.asList("/top", null, "/a/b/deep"), paths);
        }
    }

    @Test
    void aVolumeIsAdministeredWithoutAMount() throws IOException {
        try (TestDatabase database = TestDatabase.create()) {
            VolumeOptions options = TestMount.options(database, directory, "admin", Duration.ofSeconds(20));
            try (TestMount mount = TestMount.of(database, directory, "one")) {
                mount.file(ROOT, "f", "x".repeat(1000));
            }
            try (VolumeAdmin admin = VolumeAdmin.open(options)) {
                assertEquals(1, admin.sessions());
                assertEquals(1, admin.diskUsage("/").files());
                assertEquals(1, admin.pack());
                assertEquals(
                        0,
                        admin.check(false, true, rows -> {}, (done, total) -> {})
                                .count());
            }
            assertEquals("0", database.ask("SELECT count(*) FROM larder.session"));
            assertTrue(Files.notExists(directory.resolve("cache-admin")));
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
