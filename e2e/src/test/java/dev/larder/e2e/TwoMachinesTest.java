package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ServerLogin;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two state directories, as on two machines, that share nothing but a PostgreSQL server and its object store. */
@Timeout(300)
class TwoMachinesTest {
    private static final long MIB = 1 << 20;

    @Test
    void oneVolumeOnTwoMachines() throws Exception {
        Path home = Files.createTempDirectory("ldrpg");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        EmbeddedPostgres server = new EmbeddedPostgres(home.resolve("server"));
        try (Larder one = Larder.create();
                Larder other = Larder.create()) {
            ServerLogin login = server.ensureRunning(Duration.ofSeconds(90));
            String yaml =
                    Larder.sharedYaml(login.port(), login, home.resolve("objects"), "capacity: 64Mi", "inodes: 500");
            Path here = one.mount(one.manifest("team", yaml), "m");
            byte[] bytes = SurvivalTest.random(5_000_000, 1);
            Files.write(here.resolve("first"), bytes);
            Path there = other.mount(other.manifest("team", yaml), "m");
            assertArrayEquals(bytes, Files.readAllBytes(there.resolve("first")), "the same volume");
            assertEquals(
                    one.status(here).path("volumeId").asText(),
                    other.status(there).path("volumeId").asText());

            // A successor opens new connections: the other machine's mount must not have taken its login away.
            one.killAgent(here);
            other.killAgent(there);
            Files.writeString(here.resolve("from-here"), "here");
            Files.writeString(there.resolve("from-there"), "there");
            SurvivalTest.await(() -> Files.exists(here.resolve("from-there")), "seen here");
            SurvivalTest.await(() -> Files.exists(there.resolve("from-here")), "seen there");
            assertEquals("there", Files.readString(here.resolve("from-there")));
            assertEquals("here", Files.readString(there.resolve("from-here")));

            one.umount(here);
            Path again = one.mount(one.manifest("team", yaml), "m");
            assertEquals("there", Files.readString(again.resolve("from-there")));
            quotaIsOne(here, there);
            one.run("fsck", "--content", here.toString()).ok();
            one.umount(here);
            other.umount(there);
        } finally {
            server.stop(Duration.ofSeconds(60));
            Larder.deleteTree(home);
        }
    }

    private static void quotaIsOne(Path here, Path there) throws Exception {
        assertEquals(64 * MIB, size(here));
        assertEquals(64 * MIB, size(there));
        byte[] part = SurvivalTest.random((int) (4 * MIB), 2);
        int taken = 0;
        while (taken < 40 && write((taken % 2 == 0 ? here : there).resolve("part-" + taken), part)) {
            taken++;
        }
        int parts = taken;
        assertTrue(parts >= 12 && parts <= 18, () -> parts + " parts of 4 MiB beside 5 MB in 64 MiB");
        for (int number = 0; number <= parts; number++) {
            Files.deleteIfExists((number % 2 == 0 ? here : there).resolve("part-" + number));
        }
        SurvivalTest.await(
                () -> write(here.resolve("again"), part) && write(there.resolve("again2"), part), "room again");
    }

    private static long size(Path mount) throws IOException {
        FileStore store = Files.getFileStore(mount);
        return store.getTotalSpace();
    }

    private static boolean write(Path file, byte[] bytes) throws IOException {
        try {
            Files.write(file, bytes);
            return true;
        } catch (IOException e) {
            String message = "" + e.getMessage();
            assertTrue(
                    message.contains("No space left on device") || message.contains("Disk quota exceeded"),
                    () -> "a true errno: " + e);
            return false;
        }
    }
}
