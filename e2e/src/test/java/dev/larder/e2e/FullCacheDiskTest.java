package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A cache disk that something else fills. */
@Timeout(240)
class FullCacheDiskTest {
    @Test
    void aFullCacheDiskCorruptsNothing() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")) || Tools.CI, "mounting a tmpfs needs root");
        try (Larder larder = Larder.create()) {
            Path disk = Files.createDirectory(larder.home().resolve("disk"));
            Command.run(larder.home(), "mount", "-t", "tmpfs", "-o", "size=64m", "larder-test", disk.toString())
                    .ok();
            try {
                Path manifest = larder.manifest("full", """
                        apiVersion: larder.dev/v1alpha1
                        kind: SharedVolume
                        metadata:
                          name: full
                        spec:
                          mountOptions: {patience: 10s}
                          cache:
                            directory: %s
                            capacity: 10Gi
                        """.formatted(disk));
                Path mount = larder.mount(manifest, "m");
                byte[] bytes = SurvivalTest.random(40_000_000, 5);
                Files.write(mount.resolve("before"), bytes);
                Path ballast = disk.resolve("ballast");
                Command.run(disk, "bash", "-c", "cat /dev/zero > " + ballast + " 2>/dev/null; test -s " + ballast)
                        .ok();

                boolean refused = false;
                for (int number = 0; number < 3; number++) {
                    refused |= !writeOrFull(mount.resolve("during-" + number), bytes);
                }
                assertArrayEquals(bytes, Files.readAllBytes(mount.resolve("before")), "reads fall back on the store");
                System.out.println(
                        "FullCacheDiskTest: a full cache disk " + (refused ? "refused" : "took") + " writes");
                Files.delete(ballast);
                SurvivalTest.await(() -> writeOrFull(mount.resolve("after"), bytes), "writes are taken again");
                larder.umount(mount);
                Larder.deleteTree(disk.resolve("full"));
                larder.mount(manifest, "m");
                for (String name : List.of("before", "after")) {
                    assertArrayEquals(bytes, Files.readAllBytes(mount.resolve(name)), name);
                }
                larder.run("fsck", "--content", mount.toString()).ok();
                larder.umount(mount);
            } finally {
                Command.run(larder.home(), "umount", "-l", disk.toString()).ok();
            }
        }
    }

    /** @return true when the file is there, whole; false when it was refused with ENOSPC */
    private static boolean writeOrFull(Path file, byte[] bytes) throws IOException {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            assertTrue(("" + e.getMessage()).contains("No space left on device"), () -> "a true errno: " + e);
            return false;
        }
        assertArrayEquals(bytes, Files.readAllBytes(file));
        return true;
    }
}
