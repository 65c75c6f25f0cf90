package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.Change;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** fcntl and flock locks of two sessions. */
final class LockTest {
    private static final int RANGE = 60;

    /** Longer than any test: nobody sends heartbeats here. */
    private static final Duration LEASE = Duration.ofHours(1);

    private ScratchVolume volume;
    private PostgresMetadata first;
    private PostgresMetadata second;
    private long inode;

    @BeforeEach
    void start() {
        volume = new ScratchVolume();
        first = volume.session(LEASE);
        second = volume.session(LEASE);
        inode = volume.file(first, 1, "a");
    }

    @AfterEach
    void stop() {
        volume.close();
    }

    private static FileLock posix(long owner, int type, long start, long end) {
        return new FileLock(owner, 100, type, start, end, false);
    }

    private static FileLock flock(long owner, int type) {
        return new FileLock(owner, 100, type, 0, Long.MAX_VALUE, true);
    }

    /** Owners 0 and 1 in the first session, 2 and 3 (numbers 0 and 1 again) in the second. */
    @Test
    void rangesAgreeWithAModel() {
        long seed = Long.getLong("larder.test.seed", System.nanoTime());
        System.out.println("LockTest -Dlarder.test.seed=" + seed);
        Random random = new Random(seed);
        int[][] held = new int[4][RANGE]; // 0 none, 1 read, 2 write
        for (int i = 0; i < 1000; i++) {
            int owner = random.nextInt(4);
            int start = random.nextInt(RANGE);
            int end = start + random.nextInt(RANGE - start);
            int type = random.nextInt(3);
            PostgresMetadata session = owner < 2 ? first : second;
            boolean conflict = type != FileLock.UNLOCK && conflicts(held, owner, start, end, type);
            FileLock wanted = posix(owner % 2, type, start, end);
            if (type != FileLock.UNLOCK) {
                assertEquals(conflict, session.testLock(inode, wanted) != null, "test " + i);
            }
            assertEquals(conflict, session.setLock(Op.NONE, inode, wanted, false) != null, "lock " + i);
            for (int at = start; at <= end && !conflict; at++) {
                held[owner][at] = type == FileLock.UNLOCK ? 0 : type + 1;
            }
            if (i % 20 == 0) {
                assertEquals(runs(held), volume.count("SELECT count(*) FROM larder.lock"), "ranges are merged at " + i);
            }
        }
    }

    private static boolean conflicts(int[][] held, int owner, int start, int end, int type) {
        for (int other = 0; other < held.length; other++) {
            for (int at = start; at <= end && other != owner; at++) {
                if (held[other][at] == 2 || (held[other][at] == 1 && type == FileLock.WRITE)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static int runs(int[][] held) {
        int runs = 0;
        for (int[] owner : held) {
            for (int at = 0; at < RANGE; at++) {
                runs += owner[at] != 0 && (at == 0 || owner[at - 1] != owner[at]) ? 1 : 0;
            }
        }
        return runs;
    }

    @Test
    void aCycleOfWaitersIsFound() {
        long other = volume.file(first, 1, "b");
        assertNull(first.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, 9), false));
        assertNull(second.setLock(Op.NONE, other, posix(1, FileLock.WRITE, 0, 9), false));
        assertNotNull(first.setLock(Op.NONE, other, posix(1, FileLock.READ, 5, 5), true));
        ErrnoException deadlock = assertThrows(
                ErrnoException.class,
                () -> second.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, Long.MAX_VALUE), true));
        assertEquals(Errno.EDEADLK, deadlock.errno());
        first.stopWaiting(other, 1);
        assertNotNull(second.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, Long.MAX_VALUE), true));
    }

    @Test
    void aWaiterIsToldWhenALockIsGivenUpAndOnlyThen() {
        assertNull(first.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, 9), false));
        String cursor = second.feed(null).cursor();
        first.setLock(Op.NONE, inode, posix(1, FileLock.UNLOCK, 0, 9), false);
        assertEquals(List.of(), second.feed(cursor).changes());

        assertNull(first.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, 9), false));
        FileLock way = second.setLock(Op.NONE, inode, posix(2, FileLock.WRITE, 3, 3), true);
        assertEquals(posix(1, FileLock.WRITE, 0, 9), way);
        first.setLock(Op.NONE, inode, posix(1, FileLock.UNLOCK, 0, Long.MAX_VALUE), false);
        assertEquals(
                List.of(new Change(Change.Kind.UNLOCKED, 0, null, inode, 0, 0)),
                second.feed(cursor).changes());
        assertNull(second.setLock(Op.NONE, inode, posix(2, FileLock.WRITE, 3, 3), true));
        assertEquals(0, volume.count("SELECT count(*) FROM larder.lock_wait"));
    }

    @Test
    void flockIsApartFromFcntlAndShared() {
        assertNull(first.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, Long.MAX_VALUE), false));
        assertNull(first.setLock(Op.NONE, inode, flock(1, FileLock.READ), false));
        assertNull(second.setLock(Op.NONE, inode, flock(1, FileLock.READ), false));
        assertNotNull(second.setLock(Op.NONE, inode, flock(1, FileLock.WRITE), false));
        // the conversion gave up the shared lock, as on Linux
        assertNull(first.setLock(Op.NONE, inode, flock(1, FileLock.WRITE), false));
    }

    @Test
    void theLocksOfAnExpiredSessionAreIgnoredAndItIsFenced() {
        assertNull(first.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, 9), false));
        volume.execute("UPDATE larder.incarnation SET began = began - interval '1 day';"
                + " UPDATE larder.session SET expires = clock_timestamp() - interval '1 second' WHERE id = '"
                + first.session() + "'");
        assertNull(second.testLock(inode, posix(1, FileLock.WRITE, 0, 9)));
        assertNull(second.setLock(Op.NONE, inode, posix(1, FileLock.WRITE, 0, 9), false));
        ErrnoException stale = assertThrows(
                ErrnoException.class, () -> first.setLock(Op.NONE, inode, posix(1, FileLock.READ, 20, 29), false));
        assertEquals(Errno.ESTALE, stale.errno());
        assertEquals(1, volume.count("SELECT count(*) FROM larder.lock"));
    }

    @Test
    void aLockThatIsSentAgainIsAnsweredNotTaken() {
        Op op = new Op(8, false);
        assertNull(first.setLock(op, inode, posix(1, FileLock.WRITE, 0, 9), false));
        assertNull(first.setLock(new Op(8, true), inode, posix(1, FileLock.WRITE, 0, 9), false));
        assertEquals(1, volume.count("SELECT count(*) FROM larder.lock"));
    }
}
