package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.FileName;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.Change;
import dev.larder.volume.metadata.Metadata.FeedPage;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The feed hides nothing and repeats nothing. */
final class FeedTest {
    private ScratchVolume volume;
    private PostgresMetadata writer;
    private PostgresMetadata reader;

    @BeforeEach
    void start() {
        volume = new ScratchVolume();
        writer = volume.session();
        reader = volume.session();
    }

    @AfterEach
    void stop() {
        volume.close();
    }

    @Test
    void othersSeeAChangeOnceAndTheWriterNever() {
        String readersCursor = reader.feed(null).cursor();
        String writersCursor = writer.feed(null).cursor();
        long inode = volume.file(writer, 1, "a");
        writer.commit(Op.NONE, List.of(ScratchVolume.write(inode, ScratchVolume.inline(10, new byte[5]))));

        FeedPage page = reader.feed(readersCursor);
        assertEquals(1, page.otherSessions());
        assertFalse(page.lost());
        Change entry = new Change(Change.Kind.ENTRY, 1, FileName.of("a"), inode, 0, 0);
        Change content = new Change(Change.Kind.CONTENT, 0, null, inode, 0, 15);
        assertEquals(List.of(entry, content), page.changes());
        assertEquals(List.of(), reader.feed(page.cursor()).changes());
        assertEquals(List.of(), writer.feed(writersCursor).changes());
    }

    @Test
    void aLateCommitIsSeenWhenItCommitsThoughLaterOnesWereReadBefore() throws SQLException {
        String cursor = reader.feed(null).cursor();
        try (Connection late = volume.admin();
                Statement statement = late.createStatement()) {
            late.setAutoCommit(false);
            statement.execute("SELECT larder.note(1, 0, NULL, 4711, 0, 0, NULL)");
            volume.file(writer, 1, "a");
            FeedPage before = reader.feed(cursor);
            assertEquals(List.of(Change.Kind.ENTRY), kinds(before));
            late.commit();
            FeedPage after = reader.feed(before.cursor());
            assertEquals(List.of(Change.Kind.ATTRIBUTES), kinds(after));
            assertEquals(4711, after.changes().getFirst().inode());
            assertEquals(List.of(), kinds(reader.feed(after.cursor())));
        }
    }

    @Test
    void aLongTransactionInAnotherDatabaseDelaysNothing() throws SQLException {
        String cursor = reader.feed(null).cursor();
        try (Connection elsewhere = volume.elsewhere();
                Statement statement = elsewhere.createStatement()) {
            elsewhere.setAutoCommit(false);
            statement.execute("SELECT pg_current_xact_id()");
            volume.file(writer, 1, "a");
            FeedPage page = reader.feed(cursor);
            assertEquals(List.of(Change.Kind.ENTRY), kinds(page));
            volume.file(writer, 1, "b");
            FeedPage next = reader.feed(page.cursor());
            assertEquals(
                    List.of(FileName.of("b")),
                    next.changes().stream().map(Change::name).toList());
        }
    }

    @Test
    void aCursorOlderThanTwoRotationsIsLostANewerOneIsNot() {
        String old = reader.feed(null).cursor();
        volume.file(writer, 1, "a");
        String middle = rotate(1, reader.feed(old).cursor());
        volume.file(writer, 1, "b");
        rotate(2, middle);
        assertFalse(reader.feed(middle).lost());
        FeedPage lost = reader.feed(old);
        assertTrue(lost.lost());
        assertEquals(List.of(), lost.changes());
        volume.file(writer, 1, "c");
        assertEquals(List.of(Change.Kind.ENTRY), kinds(reader.feed(lost.cursor())));
    }

    /** Lets an hour pass for the rotation. */
    private String rotate(int hours, String cursor) {
        volume.execute("DO $$ BEGIN ASSERT larder.rotate_feed(clock_timestamp() + interval '" + hours
                + " hours'), 'not rotated'; END $$");
        return reader.feed(cursor).cursor();
    }

    @Test
    void aTableWithARowNobodyCouldSeeIsNotTruncated() throws SQLException {
        reader.feed(null);
        try (Connection late = volume.admin();
                Statement statement = late.createStatement()) {
            late.setAutoCommit(false);
            statement.execute("INSERT INTO larder.change_0 SELECT pg_current_xact_id(), 0, 1, 0, 0, NULL, 1, NULL");
            statement.execute("INSERT INTO larder.change_1 SELECT pg_current_xact_id(), 0, 1, 0, 0, NULL, 1, NULL");
            statement.execute("INSERT INTO larder.change_2 SELECT pg_current_xact_id(), 0, 1, 0, 0, NULL, 1, NULL");
            assertEquals("f", rotateNow(1), "a writer still has the table");
            late.commit();
        }
        assertEquals("f", rotateNow(2), "its row was not visible at the last rotation");
        assertEquals(
                3,
                volume.count("SELECT (SELECT count(*) FROM larder.change_0)"
                        + " + (SELECT count(*) FROM larder.change_1) + (SELECT count(*) FROM larder.change_2)"));
    }

    private String rotateNow(int hours) {
        return volume.database().ask("SELECT larder.rotate_feed(clock_timestamp() + interval '" + hours + " hours')");
    }

    @Test
    void afterACrashOfTheServerTheIncarnationIsNewAndTheCursorLost() {
        FeedPage before = reader.feed(null);
        volume.file(writer, 1, "a");
        volume.database().crashServer();
        FeedPage after = reader.feed(before.cursor());
        assertTrue(after.lost());
        assertNotEquals(before.incarnation(), after.incarnation());
        FeedPage next = reader.feed(after.cursor());
        assertFalse(next.lost());
        assertEquals(after.incarnation(), next.incarnation());
        UUID flushed = reader.flush();
        assertEquals(after.incarnation(), flushed);
    }

    private static List<Change.Kind> kinds(FeedPage page) {
        return page.changes().stream().map(Change::kind).toList();
    }
}
