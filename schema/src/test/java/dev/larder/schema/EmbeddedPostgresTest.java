package dev.larder.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresTest {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    @TempDir
    static Path directory;

    private static EmbeddedPostgres postgres;

    @BeforeAll
    static void openTheWay() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        postgres = new EmbeddedPostgres(directory.resolve("postgres"));
    }

    /** The programs stay: unpacking them is most of a first start. */
    @AfterEach
    void remove() throws IOException {
        postgres.crash();
        ServerPrograms.delete(directory.resolve("postgres").resolve("data"));
    }

    private static String ask(ServerLogin login, String sql) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(login.url("postgres"), login.user(), login.password());
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertTrue(rows.next());
            return rows.getString(1);
        }
    }

    @Test
    void startsStopsAndStartsAgain() throws Exception {
        assertFalse(postgres.isRunning());
        ServerLogin login = postgres.ensureRunning(DEADLINE);
        assertTrue(postgres.isRunning());
        assertEquals("on", ask(login, "SHOW data_checksums"));
        assertEquals("replica", ask(login, "SHOW wal_level"));
        assertEquals("UTF8", ask(login, "SHOW server_encoding"));
        assertEquals(login, new EmbeddedPostgres(directory.resolve("postgres")).ensureRunning(DEADLINE));
        postgres.stop(DEADLINE);
        assertFalse(postgres.isRunning());
        postgres.stop(DEADLINE);
        assertEquals(login, postgres.ensureRunning(DEADLINE), "the port and the password are kept");
    }

    @Test
    void secretsAreTheOwnersOnly() throws Exception {
        ServerLogin login = postgres.ensureRunning(DEADLINE);
        Path home = directory.resolve("postgres");
        assertEquals(
                PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(home.resolve("password")));
        for (String name : List.of("data", "run", "log")) {
            assertEquals(
                    PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(home.resolve(name)));
        }
        assertFalse(Files.exists(home.resolve("run").resolve("initial-password")));
        assertFalse(login.toString().contains(login.password()));
        ServerLogin wrong = new ServerLogin(login.servers(), login.user(), "wrong", "");
        assertEquals(
                "28P01",
                assertThrows(SQLException.class, () -> ask(wrong, "SELECT 1")).getSQLState());
    }

    @Test
    void survivesACrashAndAMisleadingPidFile() throws Exception {
        ServerLogin login = postgres.ensureRunning(DEADLINE);
        ask(login, "SELECT pg_current_wal_flush_lsn()");
        postgres.crash();
        assertFalse(postgres.isRunning());
        Path pid = directory.resolve("postgres").resolve("data").resolve("postmaster.pid");
        List<String> lines = new ArrayList<>(Files.readAllLines(pid));
        lines.set(0, Long.toString(ProcessHandle.current().pid()));
        Files.write(pid, lines);
        assertFalse(postgres.isRunning());
        ask(postgres.ensureRunning(DEADLINE), "SELECT 1");
    }

    @Test
    void manyMayAskAtOnce() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<ServerLogin>> asking = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                asking.add(threads.submit(
                        () -> new EmbeddedPostgres(directory.resolve("postgres")).ensureRunning(DEADLINE)));
            }
            ServerLogin first = asking.getFirst().get(3, TimeUnit.MINUTES);
            for (Future<ServerLogin> one : asking) {
                assertEquals(first, one.get(3, TimeUnit.MINUTES));
            }
        }
    }

    @Test
    void aClosedWayIsNamed() throws Exception {
        boolean root = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        Path closed = Files.createDirectory(
                directory.resolve("closed"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        EmbeddedPostgres inside = new EmbeddedPostgres(closed.resolve("postgres"));
        if (root) {
            PostgresException e = assertThrows(PostgresException.class, () -> inside.ensureRunning(DEADLINE));
            assertTrue(e.getMessage().contains("cannot enter " + closed.toRealPath() + ";"), e.getMessage());
        } else {
            inside.ensureRunning(DEADLINE);
            inside.crash();
        }
    }
}
