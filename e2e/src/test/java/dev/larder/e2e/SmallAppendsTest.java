package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Log files: many small appends cost neither many objects nor many rows for long, and no more bytes than were written. */
@Timeout(300)
class SmallAppendsTest {
    private static final int APPEND_BYTES = 100;

    @Test
    void manySmallAppendsBecomeFewExtents() throws Exception {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("appends");
            Path mount = larder.mount(manifest, "m");
            byte[] all = SurvivalTest.random(10_000 * APPEND_BYTES, 1);
            byte[] some = Arrays.copyOf(all, 1_000 * APPEND_BYTES);

            append(mount.resolve("held"), all, false);
            append(mount.resolve("synced"), some, true);
            for (int at = 0; at < some.length; at += APPEND_BYTES) {
                Files.write(
                        mount.resolve("opened"),
                        Arrays.copyOfRange(some, at, at + APPEND_BYTES),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
            check(mount, all, some);

            larder.umount(mount);
            larder.dropCache("appends");
            larder.mount(manifest, "m");
            check(mount, all, some);
            larder.control(mount, "packNow");
            check(mount, all, some);

            long written = all.length + 2L * some.length;
            try (Database database = Database.of(larder, "appends")) {
                long extents = database.number("SELECT count(*) FROM larder.extent");
                long inline = database.number("SELECT coalesce(sum(octet_length(data)), 0) FROM larder.extent");
                long segments =
                        database.number("SELECT coalesce(sum(bytes), 0) FROM larder.segment WHERE retired IS NULL");
                System.out.println("SmallAppendsTest: " + written + " bytes in " + extents + " extents, " + inline
                        + " bytes inline, " + segments + " in segments, "
                        + objects(larder).size() + " objects");
                assertTrue(extents <= 60, () -> extents + " extents of three files");
                assertTrue(inline + segments <= written * 2, () -> inline + " inline and " + segments + " in segments");
            }
            assertTrue(objects(larder).size() <= 20, () -> objects(larder) + " are many objects");
            larder.umount(mount);
            larder.dropCache("appends");
            larder.mount(manifest, "m");
            check(mount, all, some);
            larder.run("fsck", "--content", mount.toString()).ok();
        }
    }

    private static void append(Path file, byte[] bytes, boolean synced) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            for (int at = 0; at < bytes.length; at += APPEND_BYTES) {
                assertEquals(APPEND_BYTES, channel.write(ByteBuffer.wrap(bytes, at, APPEND_BYTES)));
                if (synced) {
                    channel.force(false);
                }
            }
        }
    }

    private static void check(Path mount, byte[] all, byte[] some) throws IOException {
        assertArrayEquals(all, Files.readAllBytes(mount.resolve("held")));
        assertArrayEquals(some, Files.readAllBytes(mount.resolve("synced")));
        assertArrayEquals(some, Files.readAllBytes(mount.resolve("opened")));
    }

    private static List<Path> objects(Larder larder) {
        try (Stream<Path> files = Files.walk(larder.volume("appends").resolve("objects"))) {
            return files.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
