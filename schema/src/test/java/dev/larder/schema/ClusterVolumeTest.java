package dev.larder.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.schema.VolumeLogins.Side;
import dev.larder.schema.VolumeRegistry.Entry;
import dev.larder.schema.VolumeRegistry.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a cluster's operator does on a server: the registry, two logins for each volume, its state. */
class ClusterVolumeTest {
    private static final String PASSWORD = "0123456789abcdef";
    private static final String OTHER_PASSWORD = "fedcba9876543210";

    @TempDir
    static Path directory;

    private static EmbeddedPostgres postgres;
    private static ServerLogin admin;
    private static SchemaMigration schema;
    private static VolumeRegistry registry;
    private static VolumeLogins logins;

    @BeforeAll
    static void start() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        postgres = new EmbeddedPostgres(directory.resolve("postgres"));
        admin = postgres.ensureRunning(Duration.ofMinutes(2));
        schema = new SchemaMigration(admin);
        registry = new VolumeRegistry(admin);
        logins = new VolumeLogins(admin);
        registry.install();
    }

    @AfterAll
    static void stop() {
        postgres.crash();
    }

    private static VolumeRow row() {
        return new VolumeRow(UUID.randomUUID(), "team/models", 1000, 50, Duration.ofDays(2), 0, 0, 0755);
    }

    private static void superuser(String database, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(admin.url(database), admin.user(), admin.password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void theServerIsAsked() {
        ServerState state = ServerState.read(admin);
        assertTrue(state.number() >= ServerState.LEAST && state.createsDatabases() && state.createsRoles());
        assertFalse(state.readOnly());
        ServerLogin wrong = new ServerLogin(admin.servers(), admin.user(), "wrong", "");
        assertTrue(assertThrows(PostgresException.class, () -> ServerState.read(wrong))
                .getMessage()
                .contains("authentication failed"));
    }

    @Test
    void aVolumeIsEnteredOnce() {
        UUID id = UUID.randomUUID();
        registry.install();
        Entry entry = registry.enter(id, "c1", "team", "models", "bucket");
        assertEquals(State.LIVE, entry.state());
        assertEquals(entry, registry.enter(id, "c2", "other", "thief", "elsewhere"));
        assertTrue(entry.belongsTo("c1", "team"));
        assertFalse(entry.belongsTo("c2", "team"));
        assertFalse(entry.belongsTo("c1", "other"));
        assertEquals(Optional.of(entry), registry.find(id));
    }

    @Test
    void aDatabaseThatNobodyEnteredIsRefused() throws SQLException {
        UUID id = UUID.randomUUID();
        superuser("postgres", "CREATE DATABASE " + SchemaMigration.databaseName(id));
        PostgresException e =
                assertThrows(PostgresException.class, () -> registry.enter(id, "c1", "team", "models", "bucket"));
        assertTrue(e.getMessage().contains("is not touched"), e.getMessage());
        assertEquals(Optional.empty(), registry.find(id));
    }

    @Test
    void aDeletedVolumeWaitsForThePurgeOrForItsNextOwner() {
        UUID kept = UUID.randomUUID();
        UUID trashed = UUID.randomUUID();
        UUID later = UUID.randomUUID();
        for (UUID id : List.of(kept, trashed, later)) {
            registry.enter(id, "c9", "team", "models", "bucket");
        }
        registry.retain(kept);
        registry.trash(trashed, Duration.ZERO);
        registry.trash(later, Duration.ofDays(7));
        assertEquals(State.RETAINED, registry.find(kept).orElseThrow().state());
        assertEquals(
                List.of(trashed),
                registry.purgeable("c9", 10).stream().map(Entry::id).toList());
        assertEquals(List.of(), registry.purgeable("c8", 10));

        registry.adopt(later, "c9", "team", "again");
        assertEquals("again", registry.find(later).orElseThrow().name());
        assertEquals(State.LIVE, registry.find(later).orElseThrow().state());
        registry.adopt(later, "c9", "team", "thief");
        assertEquals("again", registry.find(later).orElseThrow().name());
        assertEquals(later, registry.living("c9", "team", "again").orElseThrow().id());
        assertEquals(Optional.empty(), registry.living("c9", "team", "models"));
        registry.adopt(later, "c10", "team", "moved");
        assertEquals("c10", registry.find(later).orElseThrow().cluster());

        registry.strike(kept);
        registry.strike(trashed);
        assertTrue(registry.find(kept).isPresent());
        assertTrue(registry.find(trashed).isEmpty());
    }

    @Test
    void oneLoginReplacesTheOther() throws SQLException {
        VolumeRow row = row();
        schema.provision(row);
        assertEquals(Set.of(), logins.enabled(row.id()));
        logins.enable(row.id(), Side.A, PASSWORD);
        logins.enable(row.id(), Side.A, PASSWORD);
        assertTrue(logins.works(row.id(), Side.A, PASSWORD));
        assertFalse(logins.works(row.id(), Side.A, OTHER_PASSWORD));

        String url = admin.url(SchemaMigration.databaseName(row.id()));
        try (Connection old = DriverManager.getConnection(url, VolumeLogins.name(row.id(), Side.A), PASSWORD)) {
            logins.enable(row.id(), Side.B, OTHER_PASSWORD);
            assertTrue(old.isValid(5));
            assertEquals(Set.of(Side.A, Side.B), logins.enabled(row.id()));
            logins.disable(row.id(), Side.A);
            assertFalse(old.isValid(5));
        }
        assertFalse(logins.works(row.id(), Side.A, PASSWORD));
        assertTrue(logins.works(row.id(), Side.B, OTHER_PASSWORD));
        assertThrows(IllegalArgumentException.class, () -> logins.enable(row.id(), Side.A, "'; DROP"));
        schema.drop(row.id());
        logins.disable(row.id(), Side.B);
        assertEquals(Set.of(), logins.enabled(row.id()));
    }

    @Test
    void theDatabaseTellsItsState() throws SQLException {
        VolumeRow row = row();
        assertEquals(Optional.empty(), VolumeState.read(admin, row.id()));
        superuser("postgres", "CREATE DATABASE " + SchemaMigration.databaseName(row.id()));
        assertEquals(Optional.empty(), VolumeState.read(admin, row.id()));
        superuser("postgres", "DROP DATABASE " + SchemaMigration.databaseName(row.id()));
        schema.provision(row);
        assertEquals(
                new VolumeState(true, 1000, 50, Duration.ofDays(2), 0, 1, false, List.of()),
                VolumeState.read(admin, row.id()).orElseThrow());
        schema.installObjects(row.id());
        schema.limit(new VolumeRow(row.id(), row.name(), 2000, 0, Duration.ZERO, 0, 0, 0));
        String database = SchemaMigration.databaseName(row.id());
        superuser(database, "SELECT larder_v1.session_open(gen_random_uuid(), false, 'n2', '/m', 60000, 1)");
        superuser(database, "SELECT larder_v1.session_open(gen_random_uuid(), false, 'n1', '/m', 60000, 1)");
        superuser(database, "SELECT larder_v1.session_open(gen_random_uuid(), false, 'n3', '/m', 0, 1)");
        superuser(database, "UPDATE larder.schema_state SET digest = 'older'");
        assertEquals(
                new VolumeState(false, 2000, 0, Duration.ZERO, 0, 1, true, List.of("n1", "n2")),
                VolumeState.read(admin, row.id()).orElseThrow());
    }
}
