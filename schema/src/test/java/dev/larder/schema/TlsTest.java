package dev.larder.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** A volume is made and used over verified TLS, and not where the certificate is another's. */
final class TlsTest {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    @TempDir
    Path directory;

    @Test
    void provisionsOverVerifiedTls() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path home = directory.resolve("postgres");
        EmbeddedPostgres postgres = new EmbeddedPostgres(home);
        try {
            ServerLogin plain = postgres.ensureRunning(DEADLINE);
            TestCertificate.write("server", home.resolve("data"));
            TestCertificate.write("other", directory);
            ask(plain.url("postgres"), plain.user(), plain.password(), "ALTER SYSTEM SET ssl = on");
            postgres.stop(DEADLINE);
            plain = postgres.ensureRunning(DEADLINE);

            VolumeRow volume = new VolumeRow(UUID.randomUUID(), "tls", 0, 0, Duration.ofDays(1), 0, 0, 0755);
            ServerLogin verified = with(plain, home.resolve("data").resolve("server.crt"));
            VolumeDatabase made = new SchemaMigration(verified).provision(volume, "m");
            assertTrue(made.url().contains("sslmode=verify-full"), made.url());
            assertEquals(
                    "t",
                    ask(
                            made.url(),
                            made.user(),
                            made.password(),
                            "SELECT ssl FROM pg_stat_ssl WHERE pid =" + " pg_backend_pid()"));

            SchemaMigration deceived = new SchemaMigration(with(plain, directory.resolve("other.crt")));
            PostgresException refused = assertThrows(PostgresException.class, () -> deceived.provision(volume, "m"));
            assertTrue(refused.getMessage().contains("SSL error"), refused.getMessage());
        } finally {
            postgres.crash();
        }
    }

    private static ServerLogin with(ServerLogin login, Path root) {
        return new ServerLogin(
                login.servers(), login.user(), login.password(), "sslmode=verify-full&sslrootcert=" + root);
    }

    private static String ask(String url, String user, String password, String sql) throws Exception {
        PGSimpleDataSource source = new PGSimpleDataSource(); // what the agent's pool connects with
        source.setUrl(url);
        try (Connection connection = source.getConnection(user, password);
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return null;
            }
            try (ResultSet rows = statement.getResultSet()) {
                assertTrue(rows.next());
                return rows.getString(1);
            }
        }
    }
}
