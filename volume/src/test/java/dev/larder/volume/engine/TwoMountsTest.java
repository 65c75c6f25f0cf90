package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Two mounts of one volume in one process, with a session, a cache and a kernel each, on a real database. */
class TwoMountsTest {
    private static final long ROOT = Attributes.ROOT;

    @TempDir
    private Path directory;

    private TestDatabase database;
    private TestMount one;
    private TestMount two;

    @BeforeEach
    void mount() {
        database = TestDatabase.create();
        one = TestMount.of(database, directory, "one");
        two = TestMount.of(database, directory, "two");
    }

    @AfterEach
    void unmount() {
        one.close();
        two.close();
        database.close();
    }

    @Test
    void namesAreSeenElsewhereWithinTheFeedInterval() {
        Attributes made = one.mkdir(ROOT, "d");
        two.until("the directory is seen", () -> two.exists(ROOT, "d"));
        assertEquals(made.inode(), two.lookup(ROOT, "d").inode());
        assertFalse(one.exists(made.inode(), "f"));
        two.file(made.inode(), "f", "x");
        one.until("the name is seen", () -> one.exists(made.inode(), "f"));
        one.until("the kernel is told", () -> one.kernel().entries().contains(made.inode() + "/f"));
        one.fs().unlink(one.op(), TestMount.CALLER, made.inode(), FileName.of("f"));
        two.until("the removal is seen", () -> !two.exists(made.inode(), "f"));
    }

    @Test
    void whatWasClosedIsSeenByTheNextOpen() {
        long inode = one.file(ROOT, "shared", "0");
        two.until("the name is seen", () -> two.exists(ROOT, "shared"));
        for (int round = 0; round < 300; round++) {
            TestMount writer = round % 2 == 0 ? one : two;
            TestMount reader = round % 2 == 0 ? two : one;
            String text = "round " + round + " " + "x".repeat(round % 50);
            writer.overwrite(inode, text);
            assertEquals(text, reader.read(inode));
        }
    }

    @Test
    void statementsPerOperation() {
        long parent = one.mkdir(ROOT, "d").inode();
        one.fs().attributes(TestMount.CALLER, parent);
        assertEquals(1, one.statements(() -> one.mknod(parent, "a")));
        assertEquals(0, one.statements(() -> one.fs().attributes(TestMount.CALLER, parent)));
        assertEquals(0, one.statements(() -> assertFalse(one.exists(parent, "missing"))));
        assertEquals(0, one.statements(() -> assertTrue(one.exists(parent, "a"))));
        assertEquals(1, one.statements(() -> one.rename(parent, "a", parent, "b", 0)));
        assertEquals(0, one.statements(() -> assertFalse(one.exists(parent, "a"))));
        assertEquals(
                0,
                one.statements(() -> assertThrows(
                        ErrnoException.class,
                        () -> one.fs()
                                .getXattr(
                                        TestMount.CALLER,
                                        one.lookup(parent, "b").inode(),
                                        FileName.of("security.capability")))));
        assertEquals(1, one.statements(() -> one.unlink(parent, "b")));
        assertEquals(1, one.statements(() -> one.mkdir(parent, "sub")));
        assertEquals(1, one.statements(() -> one.fs().rmdir(one.op(), TestMount.CALLER, parent, FileName.of("sub"))));
    }

    @Test
    void aDirectorysKnownAttributesAreTheDatabases() {
        long parent = one.mkdir(ROOT, "d").inode();
        long other = one.mkdir(ROOT, "e").inode();
        one.mkdir(parent, "sub");
        one.mknod(parent, "f");
        one.rename(parent, "sub", other, "moved", 0);
        one.rename(parent, "f", parent, "g", 0);
        two.until("the names are seen", () -> two.exists(parent, "g"));
        for (long inode : List.of(parent, other)) {
            assertEquals(
                    one.mounted().metadata().attributes(inode),
                    one.fs().attributes(TestMount.CALLER, inode),
                    "inode " + inode);
        }
    }

    @Test
    void aLockIsWaitedForAcrossMounts() throws Exception {
        long inode = one.file(ROOT, "locked", "x");
        FileLock mine = new FileLock(1, 10, FileLock.WRITE, 0, Long.MAX_VALUE, false);
        FileLock theirs = new FileLock(2, 20, FileLock.WRITE, 5, 9, false);
        one.fs().setLock(one.op(), inode, mine, false, TestMount.NEVER);
        assertNotNull(two.fs().testLock(inode, theirs));
        assertErrno(Errno.EAGAIN, () -> two.fs().setLock(two.op(), inode, theirs, false, TestMount.NEVER));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> waiting = threads.submit(() -> two.fs().setLock(two.op(), inode, theirs, true, TestMount.NEVER));
            two.until(
                    "the wait is recorded",
                    () -> database.ask("SELECT count(*) FROM larder.lock_wait").equals("1"));
            assertFalse(waiting.isDone());
            FileLock release = new FileLock(1, 10, FileLock.UNLOCK, 0, Long.MAX_VALUE, false);
            one.fs().setLock(one.op(), inode, release, false, TestMount.NEVER);
            waiting.get(20, TimeUnit.SECONDS);
        }
        assertNotNull(one.fs().testLock(inode, mine));
        two.fs().flush(two.op(), TestMount.CALLER, inode, 0, 2);
        assertNull(one.fs().testLock(inode, mine));
        assertEquals(0, two.statements(() -> two.fs().flush(two.op(), TestMount.CALLER, inode, 0, 2)));
    }

    @Test
    void aWaitForALockCanBeInterrupted() throws Exception {
        long inode = one.file(ROOT, "locked", "x");
        one.fs().setLock(one.op(), inode, new FileLock(1, 1, FileLock.WRITE, 0, 9, true), false, TestMount.NEVER);
        TestMount.Interrupt interrupt = new TestMount.Interrupt();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> waiting = threads.submit(() -> assertErrno(
                    Errno.EINTR,
                    () -> two.fs()
                            .setLock(
                                    two.op(), inode, new FileLock(2, 2, FileLock.WRITE, 0, 9, true), true, interrupt)));
            two.until(
                    "the wait is recorded",
                    () -> database.ask("SELECT count(*) FROM larder.lock_wait").equals("1"));
            interrupt.cancel();
            waiting.get(20, TimeUnit.SECONDS);
        }
        assertEquals("0", database.ask("SELECT count(*) FROM larder.lock_wait"));
    }

    @Test
    void oneOfTwoRacingRenamesWins() throws Exception {
        for (int round = 0; round < 50; round++) {
            String from = "from" + round;
            one.mknod(ROOT, from);
            two.until("the name is seen", () -> two.exists(ROOT, from));
            String first = "first" + round;
            String second = "second" + round;
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                Future<Boolean> a = threads.submit(() -> moved(one, from, first));
                Future<Boolean> b = threads.submit(() -> moved(two, from, second));
                assertTrue(a.get(20, TimeUnit.SECONDS) ^ b.get(20, TimeUnit.SECONDS), "exactly one rename succeeds");
            }
        }
    }

    private static boolean moved(TestMount mount, String from, String to) {
        try {
            mount.rename(ROOT, from, ROOT, to, 0);
            return true;
        } catch (ErrnoException e) {
            assertEquals(Errno.ENOENT, e.errno());
            return false;
        }
    }

    @Test
    void aDeadSessionsLocksEndWithItsLease() {
        TestMount dying = TestMount.of(database, directory, "dying", Duration.ofSeconds(2));
        long inode = dying.file(ROOT, "locked", "x");
        FileLock lock = new FileLock(7, 7, FileLock.WRITE, 0, Long.MAX_VALUE, true);
        dying.fs().setLock(dying.op(), inode, lock, false, TestMount.NEVER);
        dying.die();
        FileLock mine = new FileLock(8, 8, FileLock.WRITE, 0, Long.MAX_VALUE, true);
        assertErrno(Errno.EAGAIN, () -> one.fs().setLock(one.op(), inode, mine, false, TestMount.NEVER));
        one.fs().setLock(one.op(), inode, mine, true, TestMount.NEVER);
        assertNotNull(two.fs().testLock(inode, lock));
    }

    @Test
    void appendsThatAnotherMountOvertookAreAllKept() {
        long inode = one.file(ROOT, "log", "");
        long held = append(one, inode, "one ");
        two.close(inode, append(two, inode, "two-was-longer "));
        // Its open learns the new end; what the first handle wrote before it is not committed yet.
        long opened = append(one, inode, "three ");
        one.close(inode, held);
        one.close(inode, opened);
        List<String> words = Arrays.stream(two.read(inode).split(" ", -1))
                .filter(word -> !word.isEmpty())
                .sorted()
                .toList();
        assertEquals(List.of("one", "three", "two-was-longer"), words);
        assertEquals(two.read(inode), one.read(inode));
    }

    private static long append(TestMount mount, long inode, String text) {
        int append = 02000;
        long handle =
                mount.fs().open(mount.op(), TestMount.CALLER, inode, 1 | append).handle();
        mount.write(inode, handle, 0, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return handle;
    }

    @Test
    void anUnlinkedFileStaysReadableWhereItIsOpen() {
        long inode = one.file(ROOT, "open", "still here");
        two.until("the name is seen", () -> two.exists(ROOT, "open"));
        long handle = two.open(inode);
        one.unlink(ROOT, "open");
        two.until(
                "the hold is taken",
                () -> !database.ask("SELECT count(*) FROM larder.hold WHERE ino = " + inode)
                        .equals("0"));
        assertArrayEquals("still here".getBytes(StandardCharsets.UTF_8), two.readOpen(inode, handle));
        two.fs().release(inode, handle, 0, false);
        two.until(
                "the hold is given up",
                () -> database.ask("SELECT count(*) FROM larder.hold WHERE ino = " + inode)
                        .equals("0"));
    }

    private static void assertErrno(Errno errno, Executable call) {
        assertEquals(errno, assertThrows(ErrnoException.class, call).errno());
    }
}
