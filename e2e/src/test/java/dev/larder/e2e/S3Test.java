package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A volume in a bucket of a real S3 server: what it holds, what it refuses, and that no secret is ever shown. */
@Timeout(240)
class S3Test {
    private static final String LISTING =
            "find . -type d -printf '%P %y %m %U:%G %n %T@\\n' -o -printf '%P %y %m %U:%G %n %s %T@ %l\\n' | sort";
    private static final String CHECKSUMS = "find . -type f -print0 | sort -z | xargs -0 -r sha256sum";

    private static Larder larder;
    private static S3Server server;

    @BeforeAll
    static void start() throws Exception {
        larder = Larder.create();
        server = new S3Server(larder.home().resolve("s3"), 0);
    }

    @AfterAll
    static void stop() throws Exception {
        try (S3Server stopped = server) {
            larder.close();
            assertTrue(stopped.port() != 0);
        }
    }

    @Test
    void aTreeComesBackThroughAnEmptyCache() throws Exception {
        Path manifest = S3Server.manifest(larder, "bucket", server.port());
        Path mount = larder.mount(manifest, "m");
        Path disk = Files.createDirectory(larder.home().resolve("disk"));
        Command.run(
                        disk,
                        System.getProperty("java.home") + "/bin/jar",
                        "xf",
                        Path.of(System.getProperty("java.home"), "lib", "src.zip")
                                .toString(),
                        "java.base/java")
                .ok();
        Files.write(disk.resolve("large"), SurvivalTest.random(30_000_000, 3));
        Command.sh(disk, "ln -s large link && ln large hard && : > empty && truncate -s 1G sparse")
                .ok();
        Command.sh(larder.home(), "cp -a --sparse=always disk/. m/").ok();

        String listing = Command.sh(disk, LISTING).ok().out();
        String checksums = Command.sh(disk, CHECKSUMS).ok().out();
        assertEquals(listing, Command.sh(mount, LISTING).ok().out());
        larder.umount(mount);
        larder.dropCache("bucket");
        larder.mount(manifest, "m");
        assertEquals(listing, Command.sh(mount, LISTING).ok().out());
        assertEquals(checksums, Command.sh(mount, CHECKSUMS).ok().out());
        assertTrue(larder.status(mount).path("objectStore").asText().contains("larder"), "status names the bucket");
        larder.run("fsck", mount.toString()).ok();

        long files = listing.lines().count();
        assertTrue(server.objects().size() < files / 4, () -> "small files share objects: " + files + " files");
        noSecretIsShown(mount, manifest);
        larder.umount(mount);
    }

    private static void noSecretIsShown(Path mount, Path manifest) throws IOException {
        List<String> shown = new ArrayList<>();
        for (String[] command : new String[][] {
            {"status"},
            {"status", "-o", "json"},
            {"config", mount.toString()},
            {"config", "-o", "json", mount.toString()},
            {"cache", mount.toString()},
            {"fsck", "-o", "json", mount.toString()},
            {"mount", manifest.toString(), mount.toString()}
        }) {
            Command.Result result = larder.run(command).ok();
            shown.add(result.out() + result.err());
        }
        for (String name : List.of("config", "stats")) {
            shown.add(Files.readString(mount.resolve(".larder").resolve(name)));
        }
        shown.addAll(arguments());
        try (Stream<Path> records = Files.walk(larder.state().resolve("mounts"))) {
            for (Path file : records.filter(Files::isRegularFile).toList()) {
                shown.add(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        try (Stream<Path> logs = Files.walk(larder.state().resolve("postgres/log"))) {
            for (Path file : logs.filter(Files::isRegularFile).toList()) {
                shown.add(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        for (String secret : List.of(
                S3Server.SECRET_KEY,
                Files.readString(larder.volume("bucket").resolve("password")).strip(),
                Files.readString(larder.state().resolve("postgres/password")).strip())) {
            assertTrue(secret.length() > 8);
            for (String text : shown) {
                assertFalse(text.contains(secret), () -> "a secret is shown in: " + text);
            }
        }
    }

    /** Of every process of this machine. */
    private static List<String> arguments() throws IOException {
        List<String> all = new ArrayList<>();
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            try {
                all.add(Files.readString(
                        Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                assertFalse(process.isAlive() && e instanceof java.nio.file.AccessDeniedException, e::toString);
            }
        }
        return all;
    }

    @Test
    void whatCannotWorkIsRefusedWithTheReason() throws Exception {
        S3Server.secret(larder, "not-the-secret-key-at-all");
        refused("wrong-key", server.port(), S3Server.BUCKET, "access|credential|signature|denied");
        S3Server.secret(larder, S3Server.SECRET_KEY);
        refused("no-bucket", server.port(), "missing-bucket", "missing-bucket");
        int closed;
        try (ServerSocket socket = new ServerSocket(0)) {
            closed = socket.getLocalPort();
        }
        refused("no-server", closed, S3Server.BUCKET, "127.0.0.1:" + closed);
        Path secret = larder.home().resolve("s3.secret");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
        refused("readable", server.port(), S3Server.BUCKET, "chmod 600 .*s3.secret");
        Files.writeString(secret, "accessKeyId=only\n");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        refused("half-a-secret", server.port(), S3Server.BUCKET, "secretAccessKey");
        Files.delete(secret);
        refused("no-secret", server.port(), S3Server.BUCKET, "s3.secret does not exist");
    }

    private static void refused(String volume, int port, String bucket, String reason) throws IOException {
        Path manifest = larder.manifest(volume, S3Server.yaml(volume, port, bucket));
        Path directory = Files.createDirectories(larder.home().resolve("refused"));
        Command.Result result = larder.run(Duration.ofMinutes(3), "mount", manifest.toString(), directory.toString());
        assertEquals(1, result.exit(), result::toString);
        String last = result.err().lines().reduce("", (before, line) -> line);
        assertTrue(last.startsWith("larder: "), result::toString);
        assertTrue(last.matches("(?i).*(" + reason + ").*"), () -> "says '" + reason + "': " + result);
        assertFalse(result.err().contains("\tat "), () -> "no stack trace: " + result);
        assertFalse(result.err().contains("not-the-secret-key"), result::toString);
        assertFalse(
                Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + directory + " "),
                "nothing is mounted");
        assertFalse(larder.run("status", "-o", "json").ok().out().contains('"' + volume + '"'), "no agent is left");
    }
}
