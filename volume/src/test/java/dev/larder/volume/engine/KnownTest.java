package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The orders in which reads, own mutations and the feed may meet; an older truth never replaces a newer one. */
class KnownTest {
    private static final FileName A = FileName.of("a");
    private static final FileName B = FileName.of("b");
    private static final long DIRECTORY = 10;

    private final Known known = new Known(1_000, 100, 1_000);

    static Attributes attributes(long inode, long size, FileTime time) {
        return new Attributes(
                inode, Attributes.S_IFREG | 0644, 0, 0, 1, 0, size, size, time, time, time, time, 1, 0, 0, 0);
    }

    private static Attributes of(long inode, long size) {
        return attributes(inode, size, new FileTime(100, 0));
    }

    private static DirectoryEntry entry(FileName name, long inode) {
        return new DirectoryEntry(name, name.cookie(), inode, 8, null);
    }

    private void made(long inode) {
        known.directories().make(inode).end(true);
    }

    @Test
    void whatWasReadBeforeAChangeIsNotKept() {
        long token = known.token();
        known.changed(1);
        known.learn(of(1, 5), token);
        assertNull(known.attributes(1));
        known.learn(of(1, 6), known.token());
        assertEquals(6, known.attributes(1).size());
    }

    @Test
    void whatWasReadDuringAMutationIsNotKept() {
        Known.Mutation mutation = known.mutate(1);
        long during = known.token();
        known.learn(of(1, 5), during);
        mutation.is(of(1, 7));
        mutation.close();
        known.learn(of(1, 5), during);
        assertEquals(7, known.attributes(1).size());
    }

    @Test
    void twoMutationsAtOnceLeaveNothing() {
        Known.Mutation first = known.mutate(1);
        Known.Mutation second = known.mutate(1);
        second.is(of(1, 2));
        second.close();
        first.is(of(1, 1));
        first.close();
        assertNull(known.attributes(1));
    }

    @Test
    void aMutationWithoutAnAnswerForgets() {
        known.learn(of(1, 5), known.token());
        known.mutate(1).close();
        assertNull(known.attributes(1));
    }

    @Test
    void aChangeElsewhereDuringAMutationWins() {
        Known.Mutation mutation = known.mutate(1);
        known.changed(1);
        mutation.is(of(1, 7));
        mutation.close();
        assertNull(known.attributes(1));
    }

    @Test
    void aDirectorysTimesFollowItsNames() {
        known.learn(of(DIRECTORY, 0), known.token());
        try (Known.Mutation mutation = known.mutate(1, DIRECTORY)) {
            mutation.is(of(1, 0));
            mutation.directoryTouched(DIRECTORY, new FileTime(200, 5), 1);
        }
        assertEquals(new FileTime(200, 5), known.attributes(DIRECTORY).mtime());
        assertEquals(2, known.attributes(DIRECTORY).nlink());
        try (Known.Mutation mutation = known.mutate(DIRECTORY)) {
            mutation.directoryTouched(DIRECTORY, new FileTime(150, 0), -1);
        }
        assertEquals(new FileTime(200, 5), known.attributes(DIRECTORY).ctime());
        assertEquals(1, known.attributes(DIRECTORY).nlink());
    }

    @Test
    void aDirectoryMadeHereIsEmptyUntilItIsNot() {
        made(DIRECTORY);
        assertEquals(0, known.find(DIRECTORY, A));
        try (Known.Mutation mutation = known.mutate(1, DIRECTORY)) {
            KnownDirectories.Naming naming = mutation.name(DIRECTORY, A);
            assertNull(known.find(DIRECTORY, A));
            naming.means(1);
        }
        assertEquals(1, known.find(DIRECTORY, A));
        assertEquals(0, known.find(DIRECTORY, B));
    }

    @Test
    void aNameMadeElsewhereWhileTheDirectoryIsMadeIsInDoubt() {
        KnownDirectories.Making making = known.directories().make(DIRECTORY);
        known.entryChanged(DIRECTORY, A);
        making.end(true);
        assertNull(known.find(DIRECTORY, A));
        assertEquals(0, known.find(DIRECTORY, B));
    }

    @Test
    void aRemovalElsewhereDuringAListIsNotUndone() {
        KnownDirectories.Listing listing = known.directories().list(DIRECTORY, 0);
        known.entryChanged(DIRECTORY, A);
        listing.page(List.of(entry(A, 1), entry(B, 2)), true);
        assertNull(known.find(DIRECTORY, A));
        assertEquals(2, known.find(DIRECTORY, B));
    }

    @Test
    void anOwnRemovalDuringAListIsNotUndone() {
        KnownDirectories.Listing listing = known.directories().list(DIRECTORY, 0);
        try (Known.Mutation mutation = known.mutate(1, DIRECTORY)) {
            mutation.name(DIRECTORY, A).means(0);
        }
        listing.page(List.of(entry(A, 1)), true);
        assertNull(known.find(DIRECTORY, A));
    }

    @Test
    void aListThatBeganDuringAnOwnMutationDoesNotHideIt() {
        Known.Mutation mutation = known.mutate(1, DIRECTORY);
        KnownDirectories.Naming naming = mutation.name(DIRECTORY, A);
        KnownDirectories.Listing listing = known.directories().list(DIRECTORY, 0);
        listing.page(List.of(), true);
        naming.means(1);
        mutation.close();
        assertNull(known.find(DIRECTORY, A));
    }

    @Test
    void aChangeElsewhereDuringAnOwnMutationOfTheNameLeavesADoubt() {
        made(DIRECTORY);
        try (Known.Mutation mutation = known.mutate(1, DIRECTORY)) {
            KnownDirectories.Naming naming = mutation.name(DIRECTORY, A);
            known.entryChanged(DIRECTORY, A);
            naming.means(1);
        }
        assertNull(known.find(DIRECTORY, A));
    }

    @Test
    void aListGoesOnWhereItEnded() {
        List<FileName> order = A.cookie() < B.cookie() ? List.of(A, B) : List.of(B, A);
        known.directories().list(DIRECTORY, 0).page(List.of(entry(order.get(0), 1)), false);
        assertNull(known.find(DIRECTORY, order.get(1)));
        known.directories().list(DIRECTORY, order.get(0).cookie()).page(List.of(entry(order.get(1), 2)), true);
        assertEquals(2, known.find(DIRECTORY, order.get(1)));
        assertEquals(0, known.find(DIRECTORY, FileName.of("c")));
    }

    @Test
    void whatIsTooLargeIsNotKept() {
        made(DIRECTORY);
        for (int i = 0; i <= 100; i++) {
            try (Known.Mutation mutation = known.mutate(100 + i, DIRECTORY)) {
                mutation.name(DIRECTORY, FileName.of("name" + i)).means(100 + i);
            }
        }
        assertNull(known.find(DIRECTORY, A));
    }

    @Test
    void nothingIsKnownWhileTheFeedIsSilent() {
        made(DIRECTORY);
        known.learn(of(1, 1), known.token());
        long token = known.token();
        known.suspend(true);
        known.learn(of(1, 1), token);
        known.suspend(false);
        known.learn(of(1, 1), token);
        assertNull(known.attributes(1));
        assertNull(known.find(DIRECTORY, A));
    }
}
