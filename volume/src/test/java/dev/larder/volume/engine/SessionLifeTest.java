package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.Op;
import dev.larder.volume.testing.TestDatabase;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A mount's session through fencing, silence, crashes of the database and the death of its process. */
class SessionLifeTest {
    private static final long ROOT = Attributes.ROOT;
    private static final int O_RDWR = 2;
    private static final int O_APPEND = 0x400;
    private static final FileLock LOCK = new FileLock(1, 10, FileLock.WRITE, 0, 99, false);

    /** So long that no heartbeat comes by itself while a test runs. */
    private static final Duration LONG = Duration.ofMinutes(30);

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

    @Test
    void aFencedSessionIsReplacedAtOnceWithLocksAndDirtyBytes() {
        try (TestMount one = TestMount.of(database, directory, "one", LONG);
                TestMount two = TestMount.of(database, directory, "two", LONG)) {
            long inode = one.file(ROOT, "f", "old");
            one.fs().setLock(one.op(), inode, LOCK, false, TestMount.NEVER);
            long handle =
                    one.fs().open(one.op(), TestMount.CALLER, inode, O_RDWR).handle();
            one.write(inode, handle, 0, "new".getBytes(StandardCharsets.UTF_8));
            UUID fenced = one.mounted().session();
            long dropped = one.kernel().everything();
            database.execute("SELECT larder_v1.session_fence('" + fenced + "')");
            assertThrows(ErrnoException.class, () -> one.mkdir(ROOT, "refused"));
            one.until("a new session", () -> !one.mounted().session().equals(fenced));
            one.until("the kernel's caches are dropped", () -> one.kernel().everything() > dropped);
            one.until("the lock is asserted again", () -> two.fs().testLock(inode, theirs()) != null);
            one.until("the dirty bytes are committed", () -> two.read(inode).equals("new"));
            one.close(inode, handle);
            assertNotNull(one.mkdir(ROOT, "d"));
            assertNotEquals(fenced, one.mounted().session());
        }
    }

    @Test
    void whileTheFeedIsSilentTheKernelKeepsNothing() {
        try (TestMount one = TestMount.of(database, directory, "one", Duration.ofSeconds(2))) {
            one.mkdir(ROOT, "d");
            assertTrue(one.fs().kernelTimeoutMillis() > 0);
            long dropped = one.kernel().everything();
            database.killServer();
            try {
                one.until("timeouts are zero", () -> one.fs().kernelTimeoutMillis() == 0);
                one.until("the kernel's caches are dropped", () -> one.kernel().everything() > dropped);
            } finally {
                database.startServer();
            }
            one.until("timeouts are back", () -> one.fs().kernelTimeoutMillis() > 0);
            assertNotNull(one.mkdir(ROOT, "e"));
        }
    }

    @Test
    void aNewIncarnationDropsEverythingAndAssertsLocksAgain() {
        try (TestMount one = TestMount.of(database, directory, "one", LONG);
                TestMount two = TestMount.of(database, directory, "two", LONG)) {
            long inode = one.file(ROOT, "f", "kept");
            one.fs().fsync(TestMount.CALLER, inode, 1, false);
            one.fs().setLock(one.op(), inode, LOCK, false, TestMount.NEVER);
            long firstDrops = one.kernel().everything();
            long secondDrops = two.kernel().everything();
            database.crashServer();
            database.execute("DELETE FROM larder.lock");
            one.until("the kernel's caches are dropped", () -> one.kernel().everything() > firstDrops);
            two.until("the other kernel's too", () -> two.kernel().everything() > secondDrops);
            one.until("the lock is asserted again", () -> two.fs().testLock(inode, theirs()) != null);
            assertEquals("kept", two.read(inode));
            assertEquals("kept", one.read(inode));
        }
    }

    @Test
    void aSuccessorContinuesTheSession() {
        TestMount dying = TestMount.of(database, directory, "one", LONG);
        UUID session = dying.mounted().session();
        long inode = dying.file(ROOT, "f", "old");
        dying.fs().setLock(dying.op(), inode, LOCK, false, TestMount.NEVER);
        Opened opened = dying.fs().open(dying.op(), TestMount.CALLER, inode, O_RDWR | O_APPEND);
        append(dying, new Op(8_000, false), inode, opened.handle(), 3);
        Op mkdir = new Op(8_008, false);
        long made = dying.fs()
                .mknod(mkdir, TestMount.CALLER, ROOT, FileName.of("d"), Attributes.S_IFDIR | 0777, 0, 022)
                .inode();
        dying.die();
        try (TestMount successor = TestMount.successor(database, directory, "one", LONG, session);
                TestMount two = TestMount.of(database, directory, "two", LONG)) {
            assertEquals(session, successor.mounted().session());
            assertNotNull(two.fs().testLock(inode, theirs()), "the lock is held on");
            append(successor, new Op(8_000, true), inode, opened.handle(), 3);
            append(successor, new Op(8_016, false), inode, opened.handle(), 7);
            Attributes again = successor
                    .fs()
                    .mknod(
                            new Op(8_008, true),
                            TestMount.CALLER,
                            ROOT,
                            FileName.of("d"),
                            Attributes.S_IFDIR | 0777,
                            0,
                            022);
            assertEquals(made, again.inode(), "the answer of the first execution");
            successor.fs().flush(successor.op(), TestMount.CALLER, inode, opened.handle(), 1);
            assertEquals("oldmoremore", two.read(inode));
            assertNull(two.fs().testLock(inode, theirs()), "the close gave the lock up");
        }
    }

    /** The first execution was committed, elsewhere than the kernel thinks: another mount appended meanwhile. */
    @Test
    void anAppendThatWasCommittedIsNotAppliedAgain() {
        TestMount dying = TestMount.of(database, directory, "one", LONG);
        UUID session = dying.mounted().session();
        long inode = dying.file(ROOT, "f", "old");
        Opened opened = dying.fs().open(dying.op(), TestMount.CALLER, inode, O_RDWR | O_APPEND);
        append(dying, new Op(8_000, false), inode, opened.handle(), 3);
        try (TestMount two = TestMount.of(database, directory, "two", LONG)) {
            long other = two.fs()
                    .open(two.op(), TestMount.CALLER, inode, O_RDWR | O_APPEND)
                    .handle();
            two.write(inode, other, 3, "else".getBytes(StandardCharsets.UTF_8));
            two.close(inode, other);
            dying.fs().flush(dying.op(), TestMount.CALLER, inode, opened.handle(), 1);
            dying.die();
            try (TestMount successor = TestMount.successor(database, directory, "one", LONG, session)) {
                append(successor, new Op(8_000, true), inode, opened.handle(), 3);
                successor.fs().flush(successor.op(), TestMount.CALLER, inode, opened.handle(), 1);
                assertEquals("oldelsemore", two.read(inode));
            }
        }
    }

    @Test
    void thePredecessorsStatementsAreRefused() {
        TestMount paused = TestMount.of(database, directory, "one", LONG);
        try (TestMount successor = TestMount.successor(
                database, directory, "other", LONG, paused.mounted().session())) {
            ErrnoException refused = assertThrows(ErrnoException.class, () -> paused.mkdir(ROOT, "late"));
            assertEquals(Errno.ESTALE, refused.errno());
            assertNotNull(successor.mkdir(ROOT, "d"));
        } finally {
            paused.die();
        }
    }

    private static void append(TestMount mount, Op op, long inode, long handle, long kernelOffset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_BYTE, "more".getBytes(StandardCharsets.UTF_8));
            mount.fs().write(op, TestMount.CALLER, inode, handle, kernelOffset, from, false);
        }
    }

    private static FileLock theirs() {
        return new FileLock(2, 20, FileLock.WRITE, 5, 9, false);
    }
}
