package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A schema that is too new, a damaged cache file, a damaged object. */
@Timeout(240)
class FaultsTest {
    private static final int SIZE = 12_000_000;

    @Test
    void aNewerSchemaIsRefused() throws Exception {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("newer");
            Path mount = larder.mount(manifest, "m");
            Files.writeString(mount.resolve("f"), "kept");
            try (Database database = Database.of(larder, "newer")) {
                database.execute("UPDATE larder.schema_state SET version = version + 1000");
            }
            larder.umount(mount);
            Command.Result refused = larder.run("mount", manifest.toString(), mount.toString());
            assertEquals(1, refused.exit(), refused::toString);
            assertTrue(refused.err().contains("newer larder"), refused::toString);
            assertFalse(refused.err().contains("\tat "), refused::toString);
            assertFalse(Files.exists(mount.resolve("f")), "nothing is mounted");
            larder.embedded().ensureRunning(Duration.ofSeconds(60));
            try (Database database = Database.of(larder, "newer")) {
                database.execute("UPDATE larder.schema_state SET version = version - 1000");
            }
            larder.mount(manifest, "m");
            assertEquals("kept", Files.readString(mount.resolve("f")));
        }
    }

    @Test
    void aDamagedCacheFileIsNotBelieved() throws Exception {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("damaged-cache");
            Path mount = larder.mount(manifest, "m");
            byte[] bytes = SurvivalTest.random(SIZE, 2);
            Path file = Files.write(mount.resolve("f"), bytes);
            assertArrayEquals(bytes, Files.readAllBytes(file));
            Path cache = Path.of(larder.status(mount).path("cacheDirectory").asText());
            larder.umount(mount);

            List<Path> copies = filesOf(cache, SIZE);
            assertEquals(1, copies.size(), "the file is cached under its own size");
            damage(copies.getFirst(), 64 << 10);
            larder.mount(manifest, "m");
            assertArrayEquals(bytes, Files.readAllBytes(file), "its checksums tell, the store has the bytes");
            larder.umount(mount);
            for (Path one : filesOf(cache, SIZE)) {
                try (FileChannel cut = FileChannel.open(one, StandardOpenOption.WRITE)) {
                    cut.truncate(SIZE / 3);
                }
            }
            larder.mount(manifest, "m");
            assertArrayEquals(bytes, Files.readAllBytes(file), "a cache file that was cut");

            larder.killForGood(mount);
            larder.run("umount", mount.toString()).ok();
            for (Path one : filesOf(cache, SIZE)) {
                damage(one, 64 << 10);
            }
            larder.mount(manifest, "m");
            assertArrayEquals(bytes, Files.readAllBytes(file), "changed after a stop without order");
        }
    }

    @Test
    void aDamagedObjectIsAnErrorAndFsckNamesIt() throws Exception {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("damaged-object");
            Path mount = larder.mount(manifest, "m");
            byte[] bytes = SurvivalTest.random(SIZE, 3);
            Path file = Files.write(mount.resolve("f"), bytes);
            larder.umount(mount);
            larder.dropCache("damaged-object");

            List<Path> objects = filesOf(larder.volume("damaged-object").resolve("objects"), -1);
            assertFalse(objects.isEmpty());
            for (Path object : objects) {
                damage(object, 1 << 20);
            }
            larder.mount(manifest, "m");
            IOException failure = assertThrows(IOException.class, () -> Files.readAllBytes(file));
            assertTrue(failure.getMessage().contains("Input/output error"), failure::toString);
            Command.Result check = larder.run("fsck", "--content", "-o", "json", mount.toString());
            assertEquals(3, check.exit(), check::toString);
            JsonNode findings = larder.json(check).path("findings");
            assertFalse(findings.isEmpty(), check::toString);
            assertTrue(
                    findings.toString().contains("\"f\"") || findings.toString().contains("/f\""),
                    "names the file: " + check);

            for (Path object : objects) {
                damage(object, 1 << 20);
            }
            larder.run("fsck", "--content", mount.toString()).ok();
            assertArrayEquals(bytes, Files.readAllBytes(file), "the same flips again mend it");
        }
    }

    /** @param size of the files wanted, -1 = any but empty ones */
    private static List<Path> filesOf(Path directory, long size) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> size < 0
                            ? file.toFile().length() > 0
                            : file.toFile().length() == size)
                    .toList();
        }
    }

    /** Flips a bit in the middle of every so many bytes. */
    private static void damage(Path file, int every) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (long at = Math.min(every, channel.size()) / 2; at < channel.size(); at += every) {
                ByteBuffer one = ByteBuffer.allocate(1);
                assertEquals(1, channel.read(one, at));
                channel.write(one.put(0, (byte) (one.get(0) ^ 0x10)).rewind(), at);
            }
        }
    }
}
