package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ServerLogin;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A mount whose database is reached over TLS only; certificates by an authority of this test's own. */
@Timeout(180)
class TlsMountTest {
    private static final Duration START = Duration.ofSeconds(90);

    private Path home;
    private EmbeddedPostgres server;
    private ServerLogin login;

    @BeforeEach
    void serverWithACertificate() throws Exception {
        home = Files.createTempDirectory("ldrtls");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        server = new EmbeddedPostgres(home.resolve("postgres"));
        login = server.ensureRunning(START);
        Command.sh(home, """
                        authority() {
                          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \\
                            -subj "/CN=$1" -keyout "$1.key" -out "$1.crt"
                        }
                        certificate() {
                          openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\
                            -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
                          echo "subjectAltName=$2" > "$1.ext"
                          openssl x509 -req -in "$1.csr" -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 \\
                            -extfile "$1.ext" -out "$1.crt"
                        }
                        authority ours
                        authority others
                        certificate server IP:127.0.0.1,DNS:localhost
                        certificate client DNS:client.example
                        chmod 600 *.key
                        cp server.crt server.key postgres/data/
                        cp ours.crt postgres/data/root.crt
                        chown --reference=postgres/data postgres/data/server.* postgres/data/root.crt
                        """).ok();
        onlyOverTls("");
    }

    @AfterEach
    void end() throws Exception {
        server.crash();
        Larder.deleteTree(home);
    }

    @Test
    void aMountChecksTheServersCertificate() throws Exception {
        try (Larder larder = Larder.create()) {
            Path mount = larder.mount(larder.manifest("team", yaml(verified("ours"))), "m");
            byte[] bytes = SurvivalTest.random(300_000, 1);
            Files.write(mount.resolve("file"), bytes);
            Command.sh(mount, "sync file").ok();
            assertArrayEquals(bytes, Files.readAllBytes(mount.resolve("file")));
            assertEquals(
                    "t",
                    ask("SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
                            + " WHERE a.application_name LIKE 'larder%'"));
            larder.run("fsck", "--content", mount.toString()).ok();
            larder.umount(mount);

            refused(larder, verified("others"), "metadata store: ", "SSL error", "psql 'postgresql://");
            refused(larder, "?sslmode=disable", "metadata store: ", "no encryption", "psql 'postgresql://");
        }
    }

    @Test
    void aMountShowsACertificateOfItsOwn() throws Exception {
        onlyOverTls(" clientcert=verify-ca");
        try (Larder larder = Larder.create()) {
            refused(larder, verified("ours"), "metadata store: ", "valid client certificate", "psql 'postgresql://");
            Path key = home.resolve("client.key");
            String own = verified("ours") + "&sslcert=" + home.resolve("client.crt") + "&sslkey=" + key;
            Path mount = larder.mount(larder.manifest("team", yaml(own)), "m");
            Files.writeString(mount.resolve("file"), "text");
            Command.sh(mount, "sync file").ok();
            assertEquals(
                    "/CN=client",
                    ask("SELECT DISTINCT s.client_dn FROM pg_stat_ssl s JOIN pg_stat_activity a"
                            + " USING (pid) WHERE a.application_name LIKE 'larder%'"));
            larder.umount(mount);

            Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
            refused(larder, own, "sslkey " + key, "others have access", "chmod 600 " + key);
        }
    }

    private void refused(Larder larder, String parameters, String thing, String cause, String next) throws Exception {
        Path manifest = larder.manifest("team", yaml(parameters));
        Path mountPoint = Files.createDirectories(larder.home().resolve("m"));
        Command.Result result = larder.run("mount", manifest.toString(), mountPoint.toString());
        assertEquals(1, result.exit(), result::toString);
        String error = result.err();
        assertTrue(error.contains(thing) && error.contains(cause) && error.contains("Try: " + next), result::toString);
    }

    private String verified(String authority) {
        return "?sslmode=verify-full&sslrootcert=" + home.resolve(authority + ".crt");
    }

    private String yaml(String parameters) {
        String url = "postgresql://127.0.0.1:" + login.port() + "/postgres" + parameters;
        return Larder.sharedYaml(url, login, home.resolve("objects"));
    }

    /** The superuser of this test asks without TLS; its connections are made by no mount. */
    private void onlyOverTls(String clients) throws Exception {
        Path rules = home.resolve("postgres/data/pg_hba.conf");
        Files.writeString(rules, """
                hostnossl postgres %1$s 127.0.0.1/32 scram-sha-256
                hostssl all all 127.0.0.1/32 scram-sha-256%2$s
                """.formatted(login.user(), clients));
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
            statement.execute("ALTER SYSTEM SET ssl = on");
            statement.execute("SELECT pg_reload_conf()");
        }
        SurvivalTest.await(() -> ask("SHOW ssl").equals("on"), "the server reads its settings");
    }

    private String ask(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertTrue(rows.next(), sql);
            return rows.getString(1);
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + login.port() + "/postgres?sslmode=disable",
                login.user(),
                login.password());
    }
}
