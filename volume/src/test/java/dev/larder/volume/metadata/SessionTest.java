package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.testing.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SessionTest {
    private static final int FILE = Attributes.S_IFREG | 0644;
    private static final FileTime NOW = new FileTime(1_000, 1);

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = TestDatabase.create();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    private static Attributes make(PostgresMetadata metadata, Op op, String name, long inode) {
        return metadata.create(
                op,
                Attributes.ROOT,
                FileName.of(name),
                new NewInode(inode, FILE, 0, 0, 0, null, null, null, false, NOW));
    }

    private static void refused(Errno errno, Runnable operation) {
        assertEquals(errno, assertThrows(ErrnoException.class, operation::run).errno());
    }

    @Test
    void aResentOperationIsExecutedOnce() {
        try (PostgresMetadata metadata = database.open()) {
            long inode = metadata.leaseInodes(10);
            Attributes made = make(metadata, new Op(40, false), "a", inode);
            assertEquals(made, make(metadata, new Op(40, true), "a", inode));
            refused(Errno.EEXIST, () -> make(metadata, new Op(44, true), "a", inode + 1));
            metadata.link(new Op(48, false), inode, 1, FileName.of("b"), NOW);
            assertEquals(
                    2,
                    metadata.link(new Op(48, true), inode, 1, FileName.of("b"), NOW)
                            .nlink());
            metadata.rename(new Op(52, false), 1, FileName.of("b"), 1, FileName.of("c"), 0, NOW, false);
            assertEquals(
                    inode,
                    metadata.rename(new Op(52, true), 1, FileName.of("b"), 1, FileName.of("c"), 0, NOW, false)
                            .moved()
                            .inode());
            metadata.unlink(new Op(56, false), 1, FileName.of("a"), NOW, false);
            assertEquals(
                    1,
                    metadata.unlink(new Op(56, true), 1, FileName.of("a"), NOW, false)
                            .nlink());
            refused(Errno.ENOENT, () -> metadata.unlink(new Op(60, true), 1, FileName.of("a"), NOW, false));
        }
    }

    @Test
    void aSuccessorContinuesAndFencesItsPredecessor() {
        PostgresMetadata dead = database.open();
        long inode = dead.leaseInodes(10);
        Attributes made = make(dead, new Op(40, false), "a", inode);
        PostgresMetadata successor = PostgresMetadata.open(database.options().continuing(dead.session()));
        assertEquals(dead.session(), successor.session());
        assertEquals(made, make(successor, new Op(40, true), "a", inode));
        refused(Errno.ESTALE, () -> make(dead, new Op(44, false), "b", inode + 1));
        refused(Errno.ESTALE, dead::heartbeat);
        refused(Errno.ESTALE, () -> dead.hold(List.of(inode)));
        refused(Errno.ESTALE, () -> dead.leaseInodes(1));
        refused(Errno.ENOENT, () -> successor.lookup(1, FileName.of("b")));
        dead.close();
        assertEquals(2, successor.heartbeat().usedInodes());
        UUID ended = successor.session();
        successor.close();
        ErrnoException unknown = assertThrows(
                ErrnoException.class,
                () -> PostgresMetadata.open(database.options().continuing(ended))
                        .close());
        assertEquals(Errno.ESTALE, unknown.errno());
        assertTrue(unknown.getMessage().contains("start a new session"));
        try (PostgresMetadata fresh = database.open()) {
            assertEquals(2, fresh.heartbeat().usedInodes());
        }
    }

    @Test
    void anExpiredSessionIsFencedByALivingOne() {
        try (PostgresMetadata silent = database.open();
                PostgresMetadata living = database.open()) {
            long inode = silent.leaseInodes(10);
            make(silent, Op.NONE, "a", inode);
            silent.hold(List.of(inode));
            database.execute(
                    "UPDATE larder.session SET expires = now() - interval '1 s' WHERE id = '" + silent.session() + "'");
            living.heartbeat();
            silent.attributes(inode);
            assertEquals("1", database.ask("SELECT count(*) FROM larder.hold"), "within a lease of the start");
            database.execute("UPDATE larder.incarnation SET began = now() - interval '1 hour'");
            living.heartbeat();
            refused(Errno.ESTALE, silent::heartbeat);
            refused(Errno.ESTALE, () -> make(silent, Op.NONE, "b", inode + 1));
            assertEquals("0", database.ask("SELECT count(*) FROM larder.hold"));
            assertEquals(2, living.heartbeat().usedInodes());
        }
    }

    @Test
    void aJudgeThatSleptJudgesNobody() {
        try (PostgresMetadata other = database.open();
                PostgresMetadata judge = database.open()) {
            database.execute("UPDATE larder.incarnation SET began = now() - interval '1 hour'");
            database.execute("UPDATE larder.session SET expires = now() - interval '1 s'");
            judge.heartbeat();
            assertEquals(1, other.heartbeat().usedInodes());
        }
    }

    @Test
    void flushPutsTheLogOnTheDisk() {
        try (PostgresMetadata metadata = database.open()) {
            long inode = metadata.leaseInodes(1000);
            for (int i = 0; i < 100; i++) {
                make(metadata, Op.NONE, "f" + i, inode + i);
            }
            String inserted = database.ask("SELECT pg_current_wal_insert_lsn()");
            UUID incarnation = metadata.flush();
            assertEquals("t", database.ask("SELECT pg_current_wal_flush_lsn() >= '" + inserted + "'::pg_lsn"));
            assertEquals(incarnation, metadata.heartbeat().incarnation());
            String before = database.ask("SELECT pg_current_wal_flush_lsn()");
            metadata.flush();
            assertEquals("t", database.ask("SELECT pg_current_wal_flush_lsn() > '" + before + "'::pg_lsn"));
        }
    }

    @Test
    void aCrashKeepsWhatWasFlushedAndChangesTheIncarnation() {
        try (PostgresMetadata metadata = database.open()) {
            long inode = metadata.leaseInodes(10);
            make(metadata, Op.NONE, "kept", inode);
            UUID before = metadata.flush();
            database.crashServer();
            assertEquals(inode, metadata.lookup(1, FileName.of("kept")).inode());
            UUID after = metadata.flush();
            assertNotEquals(before, after);
            assertEquals(after, metadata.heartbeat().incarnation());
            // A standby that was promoted may lack any lease since it fell behind.
            assertTrue(metadata.leaseInodes(1) >= inode + (1L << 32));
            make(metadata, Op.NONE, "later", inode + 1);
        }
    }

    @Test
    void aLostConnectionIsTriedAgain() {
        AtomicInteger asked = new AtomicInteger();
        MetadataOptions options = database.options();
        MetadataOptions counting = MetadataOptions.of(
                options.url(),
                options.user(),
                () -> {
                    asked.incrementAndGet();
                    return options.password().get();
                },
                "h",
                "m");
        try (PostgresMetadata metadata = PostgresMetadata.open(counting)) {
            long inode = metadata.leaseInodes(10);
            for (int i = 0; i < 5; i++) {
                database.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        + " WHERE application_name LIKE 'larder /%' OR application_name = 'larder m'");
                make(metadata, Op.NONE, "f" + i, inode + i);
            }
            assertEquals(6, metadata.heartbeat().usedInodes());
            assertTrue(asked.get() > 1, "a new connection asks for the password again");
        }
    }

    @Test
    void aMissingServerIsReportedWithinTheDeadline() {
        MetadataOptions options = MetadataOptions.of(
                        "jdbc:postgresql://127.0.0.1:1/none", "nobody", () -> "secret", "h", "m")
                .withDeadline(Duration.ofMillis(200));
        ErrnoException e = assertThrows(
                ErrnoException.class, () -> PostgresMetadata.open(options).close());
        assertEquals(Errno.ETIMEDOUT, e.errno());
        assertFalse(options.toString().contains("secret"));
    }

    @Test
    void anAgentMayOnlyExecute() throws SQLException {
        MetadataOptions options = database.options();
        try (Connection connection = DriverManager.getConnection(
                        options.url(), options.user(), options.password().get());
                Statement statement = connection.createStatement()) {
            for (String sql : List.of(
                    "SELECT * FROM larder.inode",
                    "DELETE FROM larder.dentry",
                    "SELECT larder.fence(gen_random_uuid())",
                    "CREATE TABLE public.mine (n int)",
                    "CREATE TEMP TABLE mine (n int)",
                    "CREATE FUNCTION larder_v1.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")) {
                SQLException e = assertThrows(SQLException.class, () -> statement.execute(sql), sql);
                assertEquals("42501", e.getSQLState(), sql);
            }
        }
    }
}
