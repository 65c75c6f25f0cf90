package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.testing.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The database crashes while a mount works: what was closed may be lost, and no fsync or sync afterwards lies. */
class CrashedDatabaseTest {
    private static final int ROUNDS = 8;
    private static final Duration LEASE = Duration.ofMinutes(5);

    @TempDir
    private Path directory;

    @Test
    void fsyncAndSyncTellWhatACrashTook() throws Exception {
        try (TestDatabase database = TestDatabase.create();
                TestMount mount = TestMount.of(database, directory, "one", LEASE)) {
            int lost = 0;
            for (int round = 0; round < ROUNDS && lost == 0; round++) {
                long parent = mount.mkdir(Attributes.ROOT, "d" + round).inode();
                mount.fs().sync();
                Map<String, Long> closed = closeFilesUntilTheCrash(database, mount, parent);
                boolean syncTold = fails(() -> mount.fs().sync());
                boolean directoryTold = fails(() -> mount.fs().fsyncDirectory(TestMount.CALLER, parent));
                List<String> promised = new ArrayList<>();
                closed.forEach((name, inode) -> {
                    if (!fails(() -> mount.fs().fsync(TestMount.CALLER, inode, 1, false))) {
                        promised.add(name);
                    }
                });
                assertFalse(fails(() -> mount.fs().sync()), "the first sync told everything");
                closed.keySet().forEach(name -> mount.exists(parent, name));
                assertFalse(fails(() -> mount.fs().sync()), "and nothing is found out later");
                // Only what is durable outlives a second crash; another mount knows nothing but that.
                database.crashServer();
                lost = check(database, parent, closed, promised, syncTold, directoryTold);
                assertEquals(0, failures(mount, closed.keySet(), parent), "told once");
            }
            assertTrue(lost > 0, "no crash took anything in " + ROUNDS + " rounds");
        }
    }

    @Test
    void aSuccessorSaysOnceWhatACrashOfBothMayHaveTaken() throws Exception {
        try (TestDatabase database = TestDatabase.create()) {
            TestMount dying = TestMount.of(database, directory, "both", LEASE);
            UUID session = dying.mounted().session();
            long parent = dying.mkdir(Attributes.ROOT, "d").inode();
            long kept = dying.file(parent, "kept", text("kept"));
            dying.fs().sync();
            for (int i = 0; i < 50; i++) {
                dying.file(parent, "f" + i, text("f" + i));
            }
            dying.die();
            database.crashServer();
            TestMount successor = TestMount.successor(database, directory, "both", LEASE, session);
            UUID continued = successor.mounted().session();
            assertTrue(fails(() -> successor.fs().fsync(TestMount.CALLER, kept, 1, false)), "an open file is told");
            assertFalse(fails(() -> successor.fs().fsync(TestMount.CALLER, kept, 1, false)), "once");
            assertTrue(fails(() -> successor.fs().fsyncDirectory(TestMount.CALLER, parent)), "a directory too");
            assertFalse(fails(() -> successor.fs().fsyncDirectory(TestMount.CALLER, parent)), "once");
            assertTrue(fails(() -> successor.fs().sync()), "and who syncs everything");
            assertFalse(fails(() -> successor.fs().sync()), "once");
            long made = successor.file(parent, "new", text("new"));
            assertFalse(fails(() -> successor.fs().fsync(TestMount.CALLER, made, 1, false)), "it was not there");
            try (TestMount other = TestMount.of(database, directory, "empty", LEASE)) {
                for (int i = 0; i < 50; i++) {
                    String name = "f" + i;
                    assertEquals(other.exists(parent, name), successor.exists(parent, name), name);
                    if (other.exists(parent, name)) {
                        long inode = other.lookup(parent, name).inode();
                        assertEquals(other.read(inode), successor.read(inode), name);
                    }
                }
            }
            successor.die();
            try (TestMount third = TestMount.successor(database, directory, "both", LEASE, continued)) {
                assertFalse(fails(() -> third.fs().fsync(TestMount.CALLER, kept, 1, false)), "nothing crashed but it");
            }
        }
    }

    /** Files created, written and closed, not fsynced, up to the crash. */
    private static Map<String, Long> closeFilesUntilTheCrash(TestDatabase database, TestMount mount, long parent)
            throws Exception {
        Map<String, Long> closed = new LinkedHashMap<>();
        AtomicBoolean crashed = new AtomicBoolean();
        try (ExecutorService writer = Executors.newSingleThreadExecutor()) {
            Future<?> writing = writer.submit(() -> {
                for (int i = 0; !crashed.get(); i++) {
                    String name = "f" + i;
                    try {
                        closed.put(name, mount.file(parent, name, text(name)));
                    } catch (ErrnoException e) {
                        // The crash came between its create and its close, and this one was told.
                    }
                }
            });
            mount.until("files are written", () -> mount.exists(parent, "f30"));
            database.killServer();
            crashed.set(true);
            database.startServer();
            writing.get(60, TimeUnit.SECONDS);
        }
        return closed;
    }

    /** @return files that were lost */
    private int check(
            TestDatabase database,
            long parent,
            Map<String, Long> closed,
            List<String> promised,
            boolean syncTold,
            boolean directoryTold) {
        int lost = 0;
        try (TestMount other = TestMount.of(database, directory, "check" + parent, LEASE)) {
            for (Map.Entry<String, Long> file : closed.entrySet()) {
                String name = file.getKey();
                boolean there = other.exists(parent, name)
                        && other.read(file.getValue()).equals(text(name));
                assertTrue(there || !promised.contains(name), "fsync of " + name + " lied");
                lost += there ? 0 : 1;
            }
        }
        assertTrue(lost == 0 || syncTold, "sync lied");
        assertTrue(lost == 0 || directoryTold, "fsync of the directory lied");
        return lost;
    }

    private static long failures(TestMount mount, Iterable<String> names, long parent) {
        long failed = 0;
        for (String name : names) {
            if (mount.exists(parent, name)) {
                long inode = mount.lookup(parent, name).inode();
                fails(() -> mount.fs().fsync(TestMount.CALLER, inode, 1, false));
                failed += fails(() -> mount.fs().fsync(TestMount.CALLER, inode, 1, false)) ? 1 : 0;
            }
        }
        return failed;
    }

    private static boolean fails(Runnable call) {
        try {
            call.run();
            return false;
        } catch (ErrnoException e) {
            return true;
        }
    }

    private static String text(String name) {
        return name + " " + "x".repeat(200);
    }
}
