package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ObjectTables;
import dev.larder.schema.ServerLogin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

class PostgresStoreTest extends ObjectStoreContract {
    private static final String WRITER_PASSWORD = "writer";

    @TempDir
    static Path temporary;

    private static EmbeddedPostgres server;
    private static ServerLogin owner;

    @BeforeAll
    static void start() throws IOException, SQLException {
        // Started by root the server runs as nobody, who must be able to come in.
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
        server = new EmbeddedPostgres(temporary.resolve("server"));
        owner = server.ensureRunning(Duration.ofMinutes(2));
        asOwner("CREATE ROLE writer LOGIN PASSWORD '" + WRITER_PASSWORD + "'");
        try (Connection connection = owner()) {
            ObjectTables.install(connection);
            ObjectTables.install(connection);
            ObjectTables.grant(connection, "writer");
        }
    }

    @AfterAll
    static void stop() {
        server.stop(Duration.ofSeconds(30));
    }

    @Override
    ObjectStore store() {
        return new PostgresStore(database("writer", WRITER_PASSWORD), "test", "volumes/" + UUID.randomUUID());
    }

    @Test
    void refusalsSayWhatToDo() {
        PostgresStore wrong = new PostgresStore(database("writer", "wrong"), "test", "");
        var refusal = assertThrows(StoreAccessException.class, wrong::probe);
        assertTrue(refusal.getMessage().contains("correct the credentials"), refusal.getMessage());
    }

    @Test
    void theRuntimeRoleHasNoMoreThanItNeeds() throws SQLException, IOException {
        store().probe();
        try (Connection connection = database("writer", WRITER_PASSWORD).getConnection();
                Statement statement = connection.createStatement()) {
            assertThrows(SQLException.class, () -> statement.execute("DROP TABLE larder_objects.chunk"));
            assertThrows(SQLException.class, () -> statement.execute("TRUNCATE larder_objects.object"));
        }
        asOwner("REVOKE SELECT ON larder_objects.chunk FROM writer");
        try {
            var refusal = assertThrows(StoreAccessException.class, () -> store().probe());
            assertTrue(refusal.getMessage().contains("grant them"), refusal.getMessage());
        } finally {
            asOwner("GRANT SELECT ON larder_objects.chunk TO writer");
        }
    }

    @Test
    void aMissingChunkIsCorruption() throws IOException, SQLException {
        ObjectStore store = store();
        String key = "torn-" + UUID.randomUUID();
        store.put(key, Bytes.empty(600_000));
        asOwner("DELETE FROM larder_objects.chunk WHERE no = 1 AND key LIKE '%/" + key + "'");
        assertThrows(CorruptContentException.class, () -> store.get(key, 0, Bytes.empty(600_000)));
        store.get(key, 0, Bytes.empty(262_144));
        store.delete(List.of(key));
        try (Connection connection = owner();
                Statement statement = connection.createStatement();
                var left = statement.executeQuery(
                        "SELECT count(*) FROM larder_objects.chunk WHERE key LIKE '%/" + key + "'")) {
            assertTrue(left.next());
            assertEquals(0, left.getInt(1));
        }
    }

    private static Connection owner() throws SQLException {
        return database(owner.user(), owner.password()).getConnection();
    }

    private static PGSimpleDataSource database(String user, String password) {
        PGSimpleDataSource database = new PGSimpleDataSource();
        database.setUrl(owner.url("postgres"));
        database.setUser(user);
        database.setPassword(password);
        return database;
    }

    private static void asOwner(String... statements) throws SQLException {
        try (Connection connection = owner();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
