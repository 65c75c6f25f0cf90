package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ServerLogin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every example manifest is mounted: as it stands, or with nothing changed but addresses and secrets. */
@Timeout(240)
class ExamplesTest {
    private static final Path EXAMPLES = Larder.ROOT.resolve("examples");

    @Test
    void local() throws IOException {
        try (Larder larder = Larder.create()) {
            used(larder, EXAMPLES.resolve("local.yaml"), "local", "directory");
        }
    }

    @Test
    void localS3() throws Exception {
        try (Larder larder = Larder.create();
                S3Server server = new S3Server(larder.home().resolve("s3"), 0)) {
            S3Server.secret(larder, S3Server.SECRET_KEY);
            Path manifest = adapted(
                    larder,
                    "local-s3",
                    Map.of(
                            "http://127.0.0.1:9000",
                            "http://127.0.0.1:" + server.port(),
                            "/etc/larder-s3.secret",
                            larder.home().resolve("s3.secret").toString()));
            used(larder, manifest, "in-a-bucket", "larder");
        }
    }

    @Test
    void localPostgres() throws Exception {
        Path home = Files.createTempDirectory("ldrpg");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        EmbeddedPostgres server = new EmbeddedPostgres(home.resolve("server"));
        try (Larder larder = Larder.create()) {
            ServerLogin login = server.ensureRunning(Duration.ofSeconds(90));
            Path manifest = adapted(
                    larder,
                    "local-postgres",
                    Map.of(
                            "127.0.0.1:5432", "127.0.0.1:" + login.port(),
                            "username: postgres", "username: " + login.user(),
                            "change-me", login.password()));
            used(larder, manifest, "in-postgres", "database");
        } finally {
            server.stop(Duration.ofSeconds(60));
            Larder.deleteTree(home);
        }
    }

    private static Path adapted(Larder larder, String name, Map<String, String> changes) throws IOException {
        String yaml = Files.readString(EXAMPLES.resolve(name + ".yaml"));
        for (Map.Entry<String, String> change : changes.entrySet()) {
            assertTrue(yaml.contains(change.getKey()), change::getKey);
            yaml = yaml.replace(change.getKey(), change.getValue());
        }
        return larder.manifest(name, yaml);
    }

    private static void used(Larder larder, Path manifest, String volume, String store) throws IOException {
        Path mount = larder.mount(manifest, "m");
        assertEquals(volume, larder.status(mount).path("volume").asText());
        assertTrue(larder.status(mount).path("objectStore").asText().contains(store), larder.status(mount)::toString);
        Command.sh(mount, """
                mkdir d && head -c 5000000 /dev/urandom > d/f && cp d/f copy && seq 1 1000 > lines
                sha256sum d/f copy lines > ../sums
                """).ok();
        larder.umount(mount);
        larder.dropCache(volume);
        larder.mount(manifest, "m");
        Command.sh(mount, "sha256sum --quiet -c ../sums").ok();
        larder.run("fsck", "--content", mount.toString()).ok();
    }
}
