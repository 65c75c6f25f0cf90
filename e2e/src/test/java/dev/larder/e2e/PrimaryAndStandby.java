package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ServerLogin;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** A PostgreSQL server and a standby that has what the primary had when it was copied, and nothing more. */
final class PrimaryAndStandby implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(90);

    private final Path home;
    private final EmbeddedPostgres primary;
    private final EmbeddedPostgres standby;
    private final ServerLogin login;
    private final int standbyPort;

    /** The primary runs. */
    PrimaryAndStandby() throws IOException {
        home = Files.createTempDirectory("ldrha");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        primary = new EmbeddedPostgres(home.resolve("primary"));
        login = primary.ensureRunning(START);
        try (ServerSocket free = new ServerSocket(0)) {
            standbyPort = free.getLocalPort();
        }
        standby = new EmbeddedPostgres(home.resolve("standby"), standbyPort);
    }

    /** A directory for objects. */
    Path objects() {
        return home.resolve("objects");
    }

    /** Of both. */
    ServerLogin login() {
        return login;
    }

    int primaryPort() {
        return login.port();
    }

    int standbyPort() {
        return standbyPort;
    }

    /** The standby begins with what the primary has written until now. */
    void copyPrimary() throws Exception {
        Files.createDirectory(home.resolve("standby"));
        Files.setPosixFilePermissions(home.resolve("standby"), PosixFilePermissions.fromString("rwxr-xr-x"));
        try (Connection connection = connect(login.port());
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_backup_start('standby', true)");
            Path data = home.resolve("standby/data");
            Command.run(home, "cp", "-a", "primary/data", "primary/password", "standby/")
                    .ok();
            try (ResultSet rows = statement.executeQuery("SELECT labelfile FROM pg_backup_stop(false)")) {
                assertTrue(rows.next());
                Files.writeString(data.resolve("backup_label"), rows.getString(1));
            }
            // All that was written until the end of the copy, and not a record more.
            Command.sh(
                            home,
                            "rm -rf standby/data/pg_wal standby/data/postmaster.*"
                                    + " && cp -a primary/data/pg_wal standby/data/"
                                    + " && touch standby/data/standby.signal"
                                    + " && chown --reference=primary/data standby/data/backup_label"
                                    + " standby/data/standby.signal")
                    .ok();
        }
        standby.ensureRunning(START);
    }

    void crashPrimary() {
        primary.crash();
    }

    void promote() throws SQLException {
        try (Connection connection = connect(standbyPort);
                Statement statement = connection.createStatement()) {
            promote(statement);
        }
    }

    /**
     * When an agent has found it. No process is started meanwhile: it would close this one's files, and wait with them.
     */
    void promoteWhenAsked() throws Exception {
        try (Connection connection = connect(standbyPort);
                Statement statement = connection.createStatement()) {
            SurvivalTest.await(() -> isAsked(statement), "the agent asks the standby");
            promote(statement);
        }
    }

    private static void promote(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT pg_promote(true, 60)")) {
            assertTrue(rows.next() && rows.getBoolean(1), "promoted");
        }
    }

    private static boolean isAsked(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery(
                "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'larder%' AND query LIKE '%larder_v1%'")) {
            return rows.next() && rows.getLong(1) > 0;
        }
    }

    private Connection connect(int port) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres", login.user(), login.password());
    }

    @Override
    public void close() throws IOException {
        primary.crash();
        standby.crash();
        Larder.deleteTree(home);
    }
}
