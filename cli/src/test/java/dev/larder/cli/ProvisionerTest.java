package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.InvalidManifestException;
import dev.larder.crds.Manifest;
import dev.larder.protocol.MountSpec;
import dev.larder.schema.EmbeddedPostgres;
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
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** On the real embedded PostgreSQL, which all tests of the class share. */
class ProvisionerTest {
    private static Path home;
    private static StateDirectory state;

    @BeforeAll
    static void create() throws IOException {
        home = Files.createTempDirectory("ldr");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        state = new StateDirectory(home.resolve("state"));
    }

    @AfterAll
    static void stop() throws IOException {
        new EmbeddedPostgres(state.postgres()).stop(Duration.ofMinutes(1));
        deleteAll(home);
    }

    private static Manifest manifest(String name, String spec, String... more)
            throws IOException, InvalidManifestException {
        Path file = home.resolve(name + ".yaml");
        String volume = """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata: {name: %s}
                spec: {%s}
                """.formatted(name, spec);
        Files.writeString(file, volume + String.join("", more));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return Manifest.read(file);
    }

    private static String objectStore(String spec) {
        return "---\napiVersion: larder.dev/v1alpha1\nkind: ObjectStore\nmetadata: {name: o}\nspec: {" + spec + "}\n";
    }

    private static MountSpec provision(Manifest manifest, String mountPoint) {
        return new Provisioner(state, line -> {}).provision(manifest, Path.of(mountPoint), false);
    }

    private static String query(MountSpec spec, String password, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        spec.database().jdbcUrl(), spec.database().user(), password);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    @Test
    void everythingIsMadeOnceAndSaid() throws Exception {
        List<String> said = new ArrayList<>();
        Manifest manifest = manifest("first", "capacity: 1Gi, trash: 2h");
        MountSpec spec = new Provisioner(state, said::add).provision(manifest, Path.of("/mnt/a"), true);
        String all = String.join("\n", said);
        assertTrue(all.contains("metadata: embedded PostgreSQL in " + state.postgres()), all);
        assertTrue(all.contains("objects: directory " + state.volume("first").resolve("objects")), all);
        assertTrue(all.contains("cache: " + state.cache("first", Path.of("/mnt/a"))), all);

        String password = Files.readString(spec.database().passwordFile());
        assertEquals("off", query(spec, password, "SHOW synchronous_commit"), "the login works, with its defaults");
        assertFalse(all.contains(password));
        assertTrue(spec.readOnly());
        assertTrue(Files.isDirectory(spec.objectStore().directory().path()));
        assertEquals("rw-------", mode(spec.database().passwordFile()));
        assertEquals("rwx------", mode(spec.objectStore().directory().path()));
        assertEquals("rwx------", mode(spec.cache().directory()));

        MountSpec again = provision(manifest, "/mnt/a");
        assertEquals(spec.volumeId(), again.volumeId());
        assertEquals(password, Files.readString(spec.database().passwordFile()), "a login in use must stay");
        MountSpec elsewhere = provision(manifest, "/mnt/b");
        assertEquals(spec.objectStore(), elsewhere.objectStore());
        assertNotEquals(spec.cache().directory(), elsewhere.cache().directory(), "each mount is a node of its own");
    }

    @Test
    void limitsFollowTheManifest() throws Exception {
        provision(manifest("limits", "capacity: 1Gi"), "/mnt/a");
        MountSpec spec = provision(manifest("limits", "capacity: 2Gi, inodes: 7, trash: '0'"), "/mnt/a");
        var login = new EmbeddedPostgres(state.postgres()).ensureRunning(Duration.ofMinutes(1));
        try (Connection connection =
                        DriverManager.getConnection(spec.database().jdbcUrl(), login.user(), login.password());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT quota_bytes, quota_inodes, trash = interval '0' FROM larder.volume")) {
            assertTrue(row.next());
            assertEquals(2L << 30, row.getLong(1));
            assertEquals(7, row.getLong(2));
            assertTrue(row.getBoolean(3));
        }
    }

    @Test
    void aManifestThatMovesAVolumeIsRefused() throws Exception {
        provision(manifest("moved", ""), "/mnt/a");
        Manifest moved = manifest("moved", "objectStore: o", objectStore("directory: {path: " + home + "/other}"));
        CommandFailure refused = assertThrows(CommandFailure.class, () -> provision(moved, "/mnt/a"));
        assertTrue(refused.line().contains("but the manifest says directory " + home + "/other"), refused.line());
    }

    @Test
    void aBucketsCredentialsAreKeptPrivate() throws Exception {
        String s3 = objectStore(
                "s3: {bucket: abc, prefix: p, endpoint: 'http://h:1', credentials: {secretRef: {name: k}}}");
        String secret = """
                ---
                apiVersion: v1
                kind: Secret
                metadata: {name: k}
                stringData: {accessKeyId: AK, secretAccessKey: hush}
                """;
        MountSpec spec = provision(manifest("bucket", "objectStore: o", s3, secret), "/mnt/a");
        MountSpec.S3 store = spec.objectStore().s3();
        assertEquals("p/" + spec.volumeId() + "/", store.prefix());
        assertEquals("rw-------", mode(store.credentialsFile()));
        assertTrue(Files.readString(store.credentialsFile()).contains("secretAccessKey=hush\n"));
        assertFalse(dev.larder.protocol.ControlProtocol.json()
                .writeValueAsString(spec)
                .contains("hush"));
        String missing = objectStore("s3: {bucket: abc, credentials: {secretFile: " + home + "/none}}");
        Manifest lacking = manifest("lacking", "objectStore: o", missing);
        CommandFailure refused = assertThrows(CommandFailure.class, () -> provision(lacking, "/mnt/a"));
        assertTrue(
                refused.line().contains("object store o: secret file " + home + "/none does not exist"),
                refused.line());
    }

    @Test
    void aStoreThatRefusesIsSaidWithWhatToDo() throws Exception {
        Manifest manifest = manifest("refusing", "objectStore: o", objectStore("directory: {path: " + home + "/o}"));
        MountSpec spec = provision(manifest, "/mnt/a");
        StoreCheck.require(manifest, spec);
        Path objects = spec.objectStore().directory().path();
        try (Stream<Path> files = Files.list(objects)) {
            assertTrue(files.allMatch(file -> file.getFileName().toString().startsWith("~")), "the probe is gone");
        }
        deleteAll(objects);
        Files.writeString(objects, "a file where the directory was");
        CommandFailure refused = assertThrows(CommandFailure.class, () -> StoreCheck.require(manifest, spec));
        assertEquals(ExitCodes.FAILED, refused.exitCode());
        assertTrue(refused.line().startsWith("larder: object store o: "), refused.line());
        assertTrue(refused.line().endsWith("Try: ls -ld " + objects), refused.line());
    }

    @Test
    void anotherStateDirectoryHasALoginOfItsOwn() throws Exception {
        MountSpec first = provision(manifest("shared", ""), "/mnt/a");
        String password = Files.readString(first.database().passwordFile());
        StateDirectory other = new StateDirectory(home.resolve("other-state"));
        other.create();
        assertNotEquals(state.machine(), other.machine());
        assertEquals(state.machine(), state.machine());
        var login = new EmbeddedPostgres(state.postgres()).ensureRunning(Duration.ofMinutes(1));
        var database = new dev.larder.schema.SchemaMigration(login)
                .provision(
                        new dev.larder.schema.VolumeRow(
                                first.volumeId(), "shared", 0, 0, Duration.ofDays(1), 0, 0, 0755),
                        other.machine());
        assertNotEquals(first.database().user(), database.user());
        assertEquals("1", query(first, password, "SELECT 1"), "the first login still has its password");
    }

    @Test
    void administrationMakesNoCache() throws Exception {
        MountSpec spec = new Provisioner(state, line -> {}).provision(manifest("alone", ""), null, false);
        assertFalse(Files.exists(spec.cache().directory()), "a cache was made");
    }

    private static void deleteAll(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
