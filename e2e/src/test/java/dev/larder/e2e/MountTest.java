package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The contract that scripts rely on: mount, umount, status, and what is refused. */
class MountTest {
    @Test
    void mountsAnswersAndUnmounts() throws IOException {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("contract");
            Path mount = larder.mount(manifest, "m");

            assertTrue(Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + mount + " "));
            Files.writeString(mount.resolve("hello"), "world");
            JsonNode status = larder.status(mount);
            assertEquals("contract", status.path("volume").asText());
            assertTrue(ProcessHandle.of(status.path("agentPid").asLong()).isPresent(), status::toString);
            assertTrue(Files.isDirectory(Path.of(status.path("cacheDirectory").asText())), status::toString);
            assertFalse(status.path("metadata").asText().isEmpty(), status::toString);
            assertFalse(status.path("objectStore").asText().isEmpty(), status::toString);

            Command.Result again = larder.run("mount", manifest.toString(), mount.toString());
            assertEquals(0, again.exit(), again::toString);
            assertTrue((again.out() + again.err()).contains("already"), again::toString);

            larder.umount(mount);
            assertFalse(Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + mount + " "));
            assertFalse(Files.exists(mount.resolve("hello")));
            assertEquals(0, larder.run("umount", mount.toString()).exit(), "nothing is mounted: fine");
            assertEquals("[]", larder.run("status", "-o", "json").ok().out().replaceAll("\\s", ""));

            larder.mount(manifest, "m");
            assertEquals("world", Files.readString(mount.resolve("hello")));
        }
    }

    @Test
    void aBusyMountNamesWhoUsesIt() throws Exception {
        try (Larder larder = Larder.create()) {
            Path mount = larder.mount(larder.manifest("busy"), "m");
            Process user =
                    new ProcessBuilder("sleep", "300").directory(mount.toFile()).start();
            try {
                Command.Result refused = larder.run("umount", mount.toString());
                assertEquals(1, refused.exit(), refused::toString);
                assertTrue(refused.err().contains("in use: by sleep (" + user.pid() + ")"), refused::toString);
                Files.writeString(mount.resolve("served"), "on");
            } finally {
                user.destroyForcibly().waitFor();
            }
            larder.umount(mount);
        }
    }

    @Test
    void aFailedMountSaysWhyAndWhatNext() throws IOException {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("refused");
            refused(larder, manifest, larder.home().resolve("missing"), "mkdir");
            Path file = Files.createFile(larder.home().resolve("file"));
            refused(larder, manifest, file, "directory");
            Path full = Files.createDirectory(larder.home().resolve("full"));
            Files.createFile(full.resolve("something"));
            refused(larder, manifest, full, "empty");
            Path empty = Files.createDirectory(larder.home().resolve("empty"));
            refused(larder, larder.home().resolve("no.yaml"), empty, "no.yaml");
            refused(larder, larder.manifest("typo", """
                    apiVersion: larder.dev/v1alpha1
                    kind: SharedVolume
                    metadata:
                      name: typo
                    spec:
                      capcity: 1Gi
                    """), empty, "typo.yaml:6");
            Path garbage = larder.home().resolve("garbage.yaml");
            byte[] noise = new byte[100_000];
            new java.util.Random(1).nextBytes(noise);
            Files.write(garbage, noise);
            refused(larder, garbage, empty, "garbage.yaml");
            Path taken = larder.mount(manifest, "taken");
            refused(larder, larder.manifest("other"), taken, "is busy");
        }
    }

    private static void refused(Larder larder, Path manifest, Path directory, String named) {
        Command.Result result = larder.run("mount", manifest.toString(), directory.toString());
        assertNotEquals(0, result.exit(), result::toString);
        assertTrue(result.err().contains(named), () -> "says '" + named + "': " + result);
        assertFalse(result.err().contains("\tat "), () -> "no stack trace: " + result);
    }
}
