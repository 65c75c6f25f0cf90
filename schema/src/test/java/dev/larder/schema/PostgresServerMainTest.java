package dev.larder.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The quick start's server as a process: real programs, a real volume, real signals. */
final class PostgresServerMainTest {
    private static final long DEADLINE_SECONDS = 120;

    @TempDir
    Path directory;

    private Path volume;
    private Path password;
    private Path log;
    private int port;
    private Process running;

    @BeforeEach
    void makeVolume() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        volume = Files.createDirectory(directory.resolve("volume"));
        password = Files.writeString(directory.resolve("password"), "first-password\n");
        log = directory.resolve("log");
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = any.getLocalPort();
        }
    }

    @AfterEach
    void endServer() throws Exception {
        if (running != null && running.isAlive()) {
            kill();
        }
    }

    private Process launch(String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx32m",
                "-cp",
                System.getProperty("java.class.path"),
                PostgresServerMain.class.getName(),
                "--data=" + volume,
                "--password-file=" + password,
                "--port=" + port));
        command.addAll(Arrays.asList(more));
        running = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return running;
    }

    private Connection connect(String secret) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres", EmbeddedPostgres.USER, secret);
    }

    private void awaitServer(String secret) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (true) {
            try (Connection connection = connect(secret)) {
                assertTrue(connection.isValid(10));
                return;
            } catch (SQLException e) {
                assertTrue(running.isAlive(), () -> "it ended: " + said());
                assertTrue(System.nanoTime() < end, () -> "no answer: " + e + said());
                Thread.sleep(50);
            }
        }
    }

    private void awaitSaid(String text) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (!said().contains(text)) {
            assertTrue(System.nanoTime() < end, () -> "never said: " + text + said());
            Thread.sleep(50);
        }
    }

    private String said() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private void execute(String secret, String sql) throws SQLException {
        try (Connection connection = connect(secret);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String ask(String secret, String sql) throws SQLException {
        try (Connection connection = connect(secret);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertTrue(rows.next());
            return rows.getString(1);
        }
    }

    private int terminate() throws InterruptedException {
        running.destroy();
        assertTrue(running.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS), this::said);
        return running.exitValue();
    }

    private void kill() throws InterruptedException {
        List<ProcessHandle> victims = new ArrayList<>(running.descendants().toList());
        victims.add(running.toHandle());
        victims.forEach(ProcessHandle::destroyForcibly);
        assertTrue(running.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS));
    }

    private int end(Process process) throws InterruptedException {
        assertTrue(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS), this::said);
        return process.exitValue();
    }

    @Test
    void servesStopsAndFollowsThePasswordFile() throws Exception {
        launch();
        awaitServer("first-password");
        assertEquals("on", ask("first-password", "SHOW data_checksums"));
        execute("first-password", "CREATE TABLE kept AS SELECT 42 AS answer");
        try (Connection idle = connect("first-password")) {
            assertEquals(0, terminate(), this::said);
            assertFalse(idle.isValid(1), "a client's connection does not hold the stop up");
        }
        Files.writeString(password, "it's-another");
        launch();
        awaitServer("it's-another");
        assertEquals("42", ask("it's-another", "SELECT answer FROM kept"));
        SQLException refused = null;
        try (Connection old = connect("first-password")) {
            assertFalse(old.isValid(1), "the old password still opens it");
        } catch (SQLException e) {
            refused = e;
        }
        assertEquals("28P01", refused.getSQLState());
        assertFalse(said().contains("another"), "a password stands in the log");
    }

    @Test
    void withACertificateNobodyIsServedInTheClear() throws Exception {
        Path tls = directory.resolve("tls");
        ServerAccount.current().ownDirectory(tls);
        TestCertificate.write("server", tls);
        Path root = Files.copy(tls.resolve("server.crt"), directory.resolve("root.crt"));
        launch("--tls-certificate=" + tls.resolve("server.crt"), "--tls-key=" + tls.resolve("server.key"));
        awaitServer("first-password");
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?sslmode=";
        String verified = url + "verify-full&sslrootcert=" + root;
        try (Connection connection = DriverManager.getConnection(verified, EmbeddedPostgres.USER, "first-password")) {
            assertTrue(connection.isValid(10));
        }
        SQLException refused = assertThrows(
                SQLException.class,
                () -> DriverManager.getConnection(url + "disable", EmbeddedPostgres.USER, "first-password")
                        .close());
        assertTrue(refused.getMessage().contains("no encryption"), refused.getMessage());
        assertEquals(0, terminate(), this::said);
    }

    @Test
    void whatWasCommittedOutlivesAKill() throws Exception {
        launch();
        awaitServer("first-password");
        execute("first-password", "CREATE TABLE kept AS SELECT 42 AS answer");
        kill();
        launch();
        awaitServer("first-password");
        assertEquals("42", ask("first-password", "SELECT answer FROM kept"));
        // The parent alone dies: the next process ends the server that it left.
        running.destroyForcibly();
        end(running);
        launch();
        awaitSaid("ending the server that an earlier process left");
        awaitSaid("database system is shut down");
        awaitServer("first-password");
        assertEquals("42", ask("first-password", "SELECT answer FROM kept"));
        assertEquals(0, terminate(), this::said);
    }

    @Test
    void aSecondServerAndWrongSettingsAreRefused() throws Exception {
        launch();
        Process first = running;
        awaitServer("first-password");
        assertEquals(3, end(launch()));
        assertTrue(said().contains("another server uses " + volume), this::said);
        assertEquals(3, end(launch("--port=70000")));
        assertTrue(said().contains("--port=70000 is not a number from 1 to 65535"), this::said);
        assertEquals(3, end(launch("--colour=red")));
        assertTrue(said().contains("unknown argument --colour=red; --help lists them"), this::said);
        assertEquals(3, end(launch("--tls-certificate=/absent")));
        assertTrue(said().contains("--tls-key are given together"), this::said);
        Files.writeString(password, "short");
        running = first;
        assertEquals(0, terminate(), this::said);
        assertEquals(3, end(launch()));
        assertTrue(said().contains("must be 8 to 200 printable ASCII characters"), this::said);
    }
}
