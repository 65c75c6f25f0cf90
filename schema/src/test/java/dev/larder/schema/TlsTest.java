package dev.larder.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** A volume is made and used over verified TLS, and not where the certificate is another's. */
final class TlsTest {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final String PASSWORD = "changeit";

    @TempDir
    Path directory;

    @Test
    void provisionsOverVerifiedTls() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path home = directory.resolve("postgres");
        EmbeddedPostgres postgres = new EmbeddedPostgres(home);
        try {
            ServerLogin plain = postgres.ensureRunning(DEADLINE);
            certificate("server", home.resolve("data"));
            certificate("other", directory);
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

    /** NAME.crt and NAME.key, owned as the directory is. */
    private void certificate(String name, Path target) throws Exception {
        Path store = directory.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        name,
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=ip:127.0.0.1,dns:localhost",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        PASSWORD,
                        "-keystore",
                        store.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("keytool.log").toFile())
                .start();
        assertTrue(keytool.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, keytool.exitValue(), Files.readString(directory.resolve("keytool.log")));
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
        pem(
                target.resolve(name + ".crt"),
                "CERTIFICATE",
                keys.getCertificate(name).getEncoded());
        pem(
                target.resolve(name + ".key"),
                "PRIVATE KEY",
                keys.getKey(name, PASSWORD.toCharArray()).getEncoded());
    }

    private static void pem(Path file, String what, byte[] content) throws Exception {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        Files.writeString(file, "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.setOwner(file, Files.getOwner(file.getParent()));
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
