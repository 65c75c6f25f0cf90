package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.testing.TestDatabase;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a mount answers from what it knows: opens while it is alone, names that it looked ahead at. */
class AloneTest {
    private static final long ROOT = Attributes.ROOT;
    private static final int NAMES = 1_200;

    @TempDir
    private Path directory;

    private TestDatabase database;
    private TestMount one;

    @BeforeEach
    void mount() {
        database = TestDatabase.create();
        one = TestMount.of(database, directory, "one");
    }

    @AfterEach
    void unmount() {
        one.close();
        database.close();
    }

    @Test
    void anOpenAsksNothingWhileNobodyElseIsThere() {
        long inode = one.file(ROOT, "f", "text");
        one.until("an open without a statement", () -> one.statements(() -> one.read(inode)) == 0);
    }

    /** Each time the second mount begins while the first believes itself alone, and reads all the time. */
    @Test
    void aSecondMountIsNoticedBeforeItsFirstChange() throws Exception {
        long inode = one.file(ROOT, "f", "0");
        for (int round = 1; round <= 8; round++) {
            one.until("alone", () -> one.statements(() -> one.read(inode)) == 0);
            try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
                CountDownLatch closed = new CountDownLatch(1);
                Future<?> reader = executor.submit(() -> {
                    while (closed.getCount() > 0) {
                        one.read(inode);
                    }
                });
                try (TestMount two = TestMount.of(database, directory, "two")) {
                    two.overwrite(inode, "round " + round);
                    assertEquals("round " + round, one.read(inode));
                } finally {
                    closed.countDown();
                }
                reader.get(30, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void aRemountNeedsNoComparisonOfWhatIsAsItWas() {
        long same = one.file(ROOT, "same", "text");
        long changed = one.file(ROOT, "changed", "before");
        one.close();
        try (TestMount elsewhere = TestMount.of(database, directory, "elsewhere")) {
            elsewhere.overwrite(changed, "later!");
        }
        one = TestMount.of(database, directory, "one");
        assertEquals(same, one.lookup(ROOT, "same").inode());
        assertEquals(changed, one.lookup(ROOT, "changed").inode());
        one.until("alone", () -> one.statements(() -> one.fs().open(one.op(), TestMount.CALLER, ROOT, 0)) == 0);
        assertEquals(0, one.statements(() -> assertEquals("text", one.read(same))));
        assertEquals("later!", one.read(changed));
    }

    @Test
    void aDirectoryIsReadAheadOfItsLookups() {
        long parent = one.mkdir(ROOT, "d").inode();
        for (int i = 0; i < NAMES; i++) {
            one.mknod(parent, "f" + i);
        }
        try (TestMount two = TestMount.of(database, directory, "two")) {
            assertEquals(1, two.statements(() -> assertTrue(two.exists(parent, "f0"))));
            assertTrue(two.exists(parent, "f1"));
            assertTrue(two.exists(parent, "f2"));
            assertFalse(two.exists(parent, "missing"));
            two.until("everything is known", () -> two.statements(() -> two.exists(parent, "missing too")) == 0);
            for (int i = 0; i < NAMES; i++) {
                String name = "f" + i;
                assertEquals(0, two.statements(() -> assertTrue(two.exists(parent, name))), name);
            }
            one.unlink(parent, "f7");
            one.mknod(parent, "new");
            two.until("the removal is seen", () -> !two.exists(parent, "f7"));
            two.until("the new name is seen", () -> two.exists(parent, "new"));
        }
    }
}
