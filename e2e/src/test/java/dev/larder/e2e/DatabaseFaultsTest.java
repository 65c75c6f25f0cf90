package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A database that is away for a while, that hangs, that crashes. */
@Timeout(200)
class DatabaseFaultsTest {
    private static final int SIZE = 3_000_000;

    @Test
    void whileItIsAwayOperationsWaitAndOpenFilesRead() throws Exception {
        try (Larder larder = Larder.create();
                ExecutorService users = Executors.newFixedThreadPool(4)) {
            Path mount = larder.mount(larder.manifest("away"), "m");
            byte[] bytes = SurvivalTest.random(SIZE, 1);
            Path cached = Files.write(mount.resolve("cached"), bytes);
            assertArrayEquals(bytes, Files.readAllBytes(cached));
            // While a create waits, the kernel lets nobody look a name up in its directory.
            Path directory = Files.createDirectory(mount.resolve("d"));
            Files.createFile(directory.resolve("x"));
            try (RandomAccessFile open = new RandomAccessFile(cached.toFile(), "r")) {
                larder.embedded().stop(Duration.ofSeconds(30));
                long stopped = System.nanoTime();
                Future<Path> made = users.submit(
                        () -> Files.write(directory.resolve("made meanwhile"), bytes, StandardOpenOption.CREATE_NEW));
                Future<Path> moved = users.submit(() -> Files.move(directory.resolve("x"), directory.resolve("y")));
                awaitSaid(larder, mount, "recovering");
                assertTrue(
                        Files.readString(mount.resolve(".larder/stats")).contains("databaseAnswering: false"),
                        "so say the statistics");
                assertTrue(System.nanoTime() - stopped < TimeUnit.SECONDS.toNanos(45), "long before the lease ends");
                byte[] seen = new byte[SIZE];
                open.readFully(seen);
                assertArrayEquals(bytes, seen, "an open file that is cached needs no database");
                assertTrue(Files.getFileStore(mount).getTotalSpace() > 0, "nor does df");
                // The length of the outage is what is tried: longer than any retry, shorter than the bound.
                TimeUnit.NANOSECONDS.sleep(TimeUnit.SECONDS.toNanos(30) - (System.nanoTime() - stopped));
                assertFalse(made.isDone() || moved.isDone(), "they wait");
                larder.embedded().ensureRunning(Duration.ofSeconds(60));
                assertArrayEquals(bytes, Files.readAllBytes(made.get(60, TimeUnit.SECONDS)));
                assertTrue(Files.exists(moved.get(60, TimeUnit.SECONDS)));
            }
            awaitSaid(larder, mount, "serving");
            larder.run("fsck", mount.toString()).ok();
        }
    }

    @Test
    void oneThatHangsIsGivenUpByOneDeadlineAndNothingIsLost() throws Exception {
        try (Larder larder = Larder.create();
                ExecutorService users = Executors.newSingleThreadExecutor()) {
            Path manifest = larder.manifest("hangs", """
                    apiVersion: larder.dev/v1alpha1
                    kind: SharedVolume
                    metadata:
                      name: hangs
                    spec:
                      mountOptions: {patience: 8s}
                    """);
            Path mount = larder.mount(manifest, "m");
            byte[] bytes = SurvivalTest.random(SIZE, 2);
            byte[] half = SurvivalTest.random(SIZE / 2, 3);
            Path cached = Files.write(mount.resolve("cached"), bytes);
            Files.createDirectory(mount.resolve("d"));
            List<ProcessHandle> server = List.of();
            try (RandomAccessFile open = new RandomAccessFile(cached.toFile(), "r");
                    RandomAccessFile written =
                            new RandomAccessFile(mount.resolve("written").toFile(), "rw")) {
                written.write(half);
                written.getFD().sync();
                server = stop(larder);
                byte[] seen = new byte[SIZE];
                try {
                    awaitSaid(larder, mount, "recovering");
                    written.write(half);
                    refused(() -> written.getFD().sync());
                    refused(() -> Files.writeString(mount.resolve("d/new"), "text"));
                    refused(() -> Files.move(mount.resolve("cached"), mount.resolve("moved")));
                    open.readFully(seen);
                } finally {
                    signal(server, "CONT");
                }
                assertArrayEquals(bytes, seen, "an open file that is cached needs no database");
                awaitSaid(larder, mount, "serving");
                written.getFD().sync();
            }
            assertTrue(Files.exists(mount.resolve("cached")) != Files.exists(mount.resolve("moved")));

            Future<Command.Result> forced = null;
            byte[] last = SurvivalTest.random(100_000, 4);
            try (RandomAccessFile dirty =
                    new RandomAccessFile(mount.resolve("dirty").toFile(), "rw")) {
                server = stop(larder);
                try {
                    dirty.write(last);
                    forced = users.submit(
                            () -> larder.run(Duration.ofMinutes(3), "umount", "--force", mount.toString()));
                    SurvivalTest.await(() -> !isMounted(mount), "it unmounts without the database");
                } finally {
                    signal(server, "CONT");
                }
            } catch (IOException e) {
                // The mount was taken away from under it.
                assertTrue(e.getMessage() != null, e::toString);
            }
            forced.get(150, TimeUnit.SECONDS).ok();
            larder.mount(manifest, "m");
            byte[] twice = new byte[half.length * 2];
            System.arraycopy(half, 0, twice, 0, half.length);
            System.arraycopy(half, 0, twice, half.length, half.length);
            assertArrayEquals(twice, Files.readAllBytes(mount.resolve("written")));
            SurvivalTest.await(
                    () -> java.util.Arrays.equals(last, Files.readAllBytes(mount.resolve("dirty"))),
                    "what was dirty is committed by the next mount");
            larder.run("fsck", "--content", mount.toString()).ok();
        }
    }

    @Test
    void afterACrashUmountSaysWhatMayBeLostAndUnmounts() throws Exception {
        try (Larder larder = Larder.create();
                ExecutorService users = Executors.newSingleThreadExecutor()) {
            Path manifest = larder.manifest("crashed");
            Path mount = larder.mount(manifest, "m");
            Files.writeString(mount.resolve("kept"), "kept");
            Command.sh(mount, "sync -f .").ok();
            // Nothing of it is fsynced, so the last changes before the crash are always in danger.
            Future<Integer> load = users.submit(() -> {
                for (int number = 0; ; number++) {
                    try {
                        Files.createFile(mount.resolve("file-" + number));
                    } catch (IOException e) {
                        return number;
                    }
                    if (Files.exists(larder.home().resolve("enough"))) {
                        return number;
                    }
                }
            });
            SurvivalTest.await(() -> Files.exists(mount.resolve("file-50")), "the load runs");
            larder.embedded().crash();
            larder.embedded().ensureRunning(Duration.ofSeconds(60));
            Files.createFile(larder.home().resolve("enough"));
            assertTrue(load.get(90, TimeUnit.SECONDS) > 50);
            Command.Result unmounted = larder.run("umount", mount.toString());
            assertEquals(4, unmounted.exit(), unmounted::toString);
            assertTrue(unmounted.err().contains("may have lost the last changes"), unmounted::toString);
            assertFalse(Files.exists(mount.resolve("kept")), "nothing is mounted");
            larder.mount(manifest, "m");
            assertEquals("kept", Files.readString(mount.resolve("kept")));
            larder.run("fsck", mount.toString()).ok();
        }
    }

    @Test
    void aSchemaOfAnotherBuildIsRefusedInOneLine() throws Exception {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("other-build");
            Path mount = larder.mount(manifest, "m");
            try (Database database = Database.of(larder, "other-build")) {
                database.execute("UPDATE larder.schema_state SET digest = 'of another build'");
                database.execute("UPDATE larder_flyway.flyway_schema_history SET checksum = checksum + 1"
                        + " WHERE version IS NOT NULL");
            }
            larder.umount(mount);
            Command.Result refused = larder.run("mount", manifest.toString(), mount.toString());
            assertEquals(1, refused.exit(), refused::toString);
            String last = refused.err().lines().reduce("", (before, line) -> line);
            assertTrue(last.startsWith("larder: metadata store: the schema of larder_"), refused::toString);
            assertTrue(last.contains("another build of larder") && last.contains("Try: "), refused::toString);
            assertFalse(refused.err().contains("\tat "), refused::toString);
        }
    }

    private static boolean isMounted(Path mount) throws IOException {
        return Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + mount + " ");
    }

    private static void awaitSaid(Larder larder, Path mount, String state) throws Exception {
        SurvivalTest.await(() -> larder.status(mount).path("state").asText().equals(state), "status says " + state);
    }

    private interface Action {
        void run() throws IOException;
    }

    private static void refused(Action action) {
        IOException failure = assertThrows(IOException.class, action::run);
        assertTrue(
                failure.toString().matches(".*(Input/output error|Connection timed out|sync failed).*"),
                () -> "a true errno: " + failure);
    }

    /** Stops the postmaster, so that it makes no more children, and those that it has. */
    private static List<ProcessHandle> stop(Larder larder) throws IOException {
        long pid = Long.parseLong(Files.readAllLines(larder.state().resolve("postgres/data/postmaster.pid"))
                .getFirst()
                .strip());
        ProcessHandle postmaster = ProcessHandle.of(pid).orElseThrow();
        signal(List.of(postmaster), "STOP");
        List<ProcessHandle> all = new ArrayList<>(List.of(postmaster));
        postmaster.descendants().forEach(all::add);
        signal(all, "STOP");
        return all;
    }

    private static void signal(List<ProcessHandle> processes, String signal) throws IOException {
        for (ProcessHandle process : processes) {
            if (process.isAlive()) {
                Command.run(Path.of("/"), "kill", "-" + signal, Long.toString(process.pid()));
            }
        }
    }
}
