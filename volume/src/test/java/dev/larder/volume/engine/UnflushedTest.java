package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class UnflushedTest {
    private static final UUID FIRST = new UUID(1, 1);
    private static final UUID SECOND = new UUID(2, 2);

    private final Unflushed unflushed = new Unflushed();

    @Test
    void aFlushInTheSameIncarnationMakesDurable() {
        unflushed.seen(FIRST);
        unflushed.mutated(unflushed.incarnation(), 5, 6);
        assertFalse(unflushed.isEmpty());
        unflushed.flushed(unflushed.position(), FIRST);
        assertTrue(unflushed.isEmpty());
        assertDoesNotThrow(() -> unflushed.check(5));
    }

    @Test
    void aFlushInAnotherIncarnationIsToldOncePerInode() {
        unflushed.seen(FIRST);
        unflushed.mutated(unflushed.incarnation(), 5, 6);
        unflushed.flushed(unflushed.position(), SECOND);
        assertEio(5);
        assertDoesNotThrow(() -> unflushed.check(5));
        assertEio(6);
        assertTrue(unflushed.isEmpty());
    }

    @Test
    void whatIsMutatedWhileAFlushRunsWaitsForTheNext() {
        unflushed.seen(FIRST);
        long position = unflushed.position();
        unflushed.mutated(unflushed.incarnation(), 5);
        unflushed.flushed(position, FIRST);
        assertFalse(unflushed.isEmpty());
    }

    @Test
    void aLaterMutationDoesNotHideAnOlderIncarnation() {
        unflushed.seen(FIRST);
        unflushed.mutated(unflushed.incarnation(), 5);
        assertTrue(unflushed.seen(SECOND));
        unflushed.mutated(unflushed.incarnation(), 5);
        unflushed.flushed(unflushed.position(), SECOND);
        assertEio(5);
    }

    @Test
    void whatIsMutatedAfterAFlushToldOfTheRestartIsNotToldAgain() {
        unflushed.seen(FIRST);
        unflushed.flushed(unflushed.position(), SECOND);
        unflushed.mutated(unflushed.incarnation(), 5);
        assertTrue(unflushed.seen(SECOND), "the feed's readers hear of it all the same");
        unflushed.flushed(unflushed.position(), SECOND);
        assertDoesNotThrow(() -> unflushed.check(5));
        assertDoesNotThrow(unflushed::checkAll);
    }

    @Test
    void theFirstIncarnationIsNoRestart() {
        assertFalse(unflushed.seen(FIRST));
        assertFalse(unflushed.seen(FIRST));
        assertTrue(unflushed.seen(SECOND));
    }

    @Test
    void syncTellsOnceOfEverything() {
        unflushed.seen(FIRST);
        unflushed.mutated(unflushed.incarnation(), 5, 6);
        unflushed.flushed(unflushed.position(), SECOND);
        assertEquals(
                Errno.EIO,
                assertThrows(ErrnoException.class, unflushed::checkAll).errno());
        assertDoesNotThrow(unflushed::checkAll);
        assertEio(5);
    }

    @Test
    void syncTellsNothingThatEveryFsyncHasTold() {
        unflushed.seen(FIRST);
        unflushed.mutated(unflushed.incarnation(), 5, 6);
        unflushed.flushed(unflushed.position(), SECOND);
        assertEio(5);
        assertTrue(unflushed.told(6));
        assertDoesNotThrow(unflushed::checkAll);
    }

    @Test
    void moreThanTheBoundIsToBeFlushedFirst() {
        unflushed.seen(FIRST);
        for (long inode = 1; inode <= Unflushed.MAX_INODES; inode++) {
            unflushed.mutated(FIRST, inode);
        }
        assertFalse(unflushed.isFull());
        unflushed.mutated(FIRST, Unflushed.MAX_INODES + 1);
        assertTrue(unflushed.isFull());
        unflushed.flushed(unflushed.position(), FIRST);
        assertFalse(unflushed.isFull());
    }

    private void assertEio(long inode) {
        assertEquals(
                Errno.EIO,
                assertThrows(ErrnoException.class, () -> unflushed.check(inode)).errno());
    }
}
