package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.testing.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A mount that nobody uses holds nothing, and misses nothing. */
class RestTest {
    private static final long ROOT = Attributes.ROOT;
    private static final Duration SOON = Duration.ofMillis(300);

    @TempDir
    private Path directory;

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = TestDatabase.create();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    private boolean noConnections() {
        return database.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND application_name LIKE 'larder /%'")
                .equals("0");
    }

    @Test
    void whoRestsHasNoConnectionAndTheKernelKnowsNothing() {
        try (TestMount mount = TestMount.idleAfter(database, directory, "one", SOON)) {
            long inode = mount.file(ROOT, "f", "text");
            long dropped = mount.kernel().everything();
            mount.until("it rests", () -> mount.mounted().status().resting());
            mount.until("the kernel's caches are dropped", () -> mount.kernel().everything() > dropped);
            mount.until("no connection is open", this::noConnections);
            assertEquals(0, mount.fs().kernelTimeoutMillis());
            assertEquals(0, mount.mounted().status().knownInodes());
            assertTrue(mount.mounted().status().answering());
            assertEquals("text", mount.read(inode));
            assertTrue(mount.fs().kernelTimeoutMillis() > 0);
            assertFalse(mount.mounted().status().resting());
            mount.until("it rests again", () -> mount.mounted().status().resting());
        }
    }

    @Test
    void whatOthersDidMeanwhileIsSeenAtOnce() {
        try (TestMount one = TestMount.idleAfter(database, directory, "one", SOON);
                TestMount two = TestMount.of(database, directory, "two")) {
            long inode = one.file(ROOT, "f", "old");
            assertFalse(one.exists(ROOT, "g"));
            one.until("it rests", () -> one.mounted().status().resting());
            two.mkdir(ROOT, "g");
            two.overwrite(inode, "new");
            assertTrue(one.exists(ROOT, "g"));
            assertEquals("new", one.read(inode));
        }
    }
}
