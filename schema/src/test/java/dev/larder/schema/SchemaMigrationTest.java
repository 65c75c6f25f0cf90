package dev.larder.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchemaMigrationTest {
    @TempDir
    static Path directory;

    private static EmbeddedPostgres postgres;
    private static ServerLogin login;
    private static SchemaMigration schema;

    @BeforeAll
    static void start() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        postgres = new EmbeddedPostgres(directory.resolve("postgres"));
        login = postgres.ensureRunning(Duration.ofMinutes(2));
        schema = new SchemaMigration(login);
    }

    @AfterAll
    static void stop() {
        postgres.crash();
    }

    private static VolumeRow row() {
        return new VolumeRow(UUID.randomUUID(), "models", 1000, 50, Duration.ofDays(2), 7, 8, 0750);
    }

    private static String ask(String url, String user, String password, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, user, password);
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return null;
            }
            try (ResultSet rows = statement.getResultSet()) {
                return rows.next() ? rows.getString(1) : null;
            }
        }
    }

    private static String superuser(UUID volume, String sql) throws SQLException {
        return ask(login.url(SchemaMigration.databaseName(volume)), login.user(), login.password(), sql);
    }

    @Test
    void everyMigrationIsListed() throws Exception {
        URI resources = SchemaMigration.class.getResource("V1__tables.sql").toURI();
        try (Stream<Path> files = Files.list(Path.of(resources).getParent())) {
            Set<String> there = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".sql"))
                    .collect(Collectors.toSet());
            assertEquals(Set.copyOf(SchemaState.FILES), there);
        }
    }

    @Test
    void provisionsAVolumeOnceAndAgain() throws Exception {
        VolumeRow row = row();
        VolumeDatabase first = schema.provision(row, "a");
        VolumeDatabase second = schema.provision(row, "a");
        assertEquals(first.url(), second.url());
        assertNotEquals(first.password(), second.password());
        assertFalse(second.toString().contains(second.password()));
        assertEquals(
                row.id() + " models 1000 50 48:00:00",
                superuser(
                        row.id(),
                        "SELECT concat_ws(' ', id, name, quota_bytes, quota_inodes, trash) FROM larder.volume"));
        assertEquals(
                "1 7 8 16872 2",
                superuser(row.id(), "SELECT concat_ws(' ', ino, uid, gid, mode, nlink) FROM larder.inode"));
        assertEquals("off", ask(second.url(), second.user(), second.password(), "SHOW synchronous_commit"));
        assertEquals(
                "0", ask(second.url(), second.user(), second.password(), "SELECT errno FROM larder_v1.attributes(1)"));
        assertThrows(SQLException.class, () -> ask(first.url(), first.user(), first.password(), "SELECT 1"));
        schema.drop(row.id());
        assertThrows(SQLException.class, () -> superuser(row.id(), "SELECT 1"));
    }

    @Test
    void aVolumesLoginReachesNoOther() {
        VolumeDatabase one = schema.provision(row(), "a");
        VolumeRow other = row();
        schema.provision(other, "a");
        String url = login.url(SchemaMigration.databaseName(other.id()));
        assertEquals(
                "42501",
                assertThrows(SQLException.class, () -> ask(url, one.user(), one.password(), "SELECT 1"))
                        .getSQLState());
    }

    @Test
    void eachMachineHasALoginOfItsOwn() throws Exception {
        VolumeRow row = row();
        VolumeDatabase one = schema.provision(row, "one");
        VolumeDatabase other = schema.provision(row, "other");
        schema.rotate(row.id(), "other");
        assertEquals("1", ask(one.url(), one.user(), one.password(), "SELECT 1"));
        assertNotEquals(one.user(), other.user());
        assertThrows(SQLException.class, () -> ask(other.url(), other.user(), other.password(), "SELECT 1"));
        assertThrows(IllegalArgumentException.class, () -> schema.provision(row, "x; DROP"));
        schema.drop(row.id());
        String left =
                "SELECT rolname FROM pg_roles WHERE rolname LIKE '" + SchemaMigration.databaseName(row.id()) + "%'";
        try (java.sql.Connection server =
                        java.sql.DriverManager.getConnection(login.url("postgres"), login.user(), login.password());
                java.sql.Statement statement = server.createStatement();
                java.sql.ResultSet rows = statement.executeQuery(left)) {
            assertFalse(rows.next(), "a role is left");
        }
    }

    @Test
    void changedFunctionsAreReplaced() throws Exception {
        VolumeRow row = row();
        schema.provision(row, "a");
        superuser(row.id(), "UPDATE larder.schema_state SET digest = 'older'");
        superuser(row.id(), "UPDATE larder_flyway.flyway_schema_history SET checksum = 1 WHERE version IS NULL");
        superuser(row.id(), "DROP FUNCTION larder_v1.flush()");
        schema.migrate(row.id());
        assertEquals("0", superuser(row.id(), "SELECT errno FROM larder_v1.flush()"));
        assertEquals(SchemaState.ownDigest(), superuser(row.id(), "SELECT digest FROM larder.schema_state"));
    }

    /** Every function runs with the owner's rights, so nothing may belong to the server's administrator. */
    @Test
    void everythingBelongsToTheOwner() throws Exception {
        VolumeRow row = row();
        schema.provision(row, "a");
        String owner = SchemaMigration.databaseName(row.id()) + "_owner";
        assertEquals(
                owner,
                superuser(
                        row.id(),
                        "SELECT string_agg(DISTINCT pg_get_userbyid(x.owner), ' ') FROM ("
                                + "SELECT c.relowner AS owner, c.relnamespace AS space FROM pg_class c UNION ALL"
                                + " SELECT p.proowner, p.pronamespace FROM pg_proc p UNION ALL"
                                + " SELECT n.nspowner, n.oid FROM pg_namespace n) x JOIN pg_namespace n ON n.oid = x.space"
                                + " WHERE n.nspname IN ('larder', 'larder_v1', 'larder_flyway')"));
    }

    @Test
    void aNewerSchemaIsRefused() throws Exception {
        VolumeRow row = row();
        schema.provision(row, "a");
        superuser(row.id(), "UPDATE larder.schema_state SET version = 999");
        PostgresException e = assertThrows(PostgresException.class, () -> schema.migrate(row.id()));
        assertTrue(e.getMessage().contains("version 999") && e.getMessage().contains("use a newer larder"));
    }
}
