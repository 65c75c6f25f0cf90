package dev.larder.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/** A fresh state directory with one mounted volume, and a directory beside it on the same disk. */
final class Bed implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String DEFAULT_MANIFEST = """
            apiVersion: larder.dev/v1alpha1
            kind: SharedVolume
            metadata:
              name: benchmark
            spec: {}
            """;

    private final Path larder;
    private final Path home;
    private final Path manifest;
    private final Path mountPoint;
    private final Disk disk;
    private final Volume volume;

    private Bed(Path larder, Path home, Path manifest) throws IOException {
        this.larder = larder;
        this.home = home;
        this.manifest = manifest;
        this.mountPoint = Files.createDirectory(home.resolve("volume"));
        this.disk = new Disk(Files.createDirectory(home.resolve("disk")));
        this.volume = new Volume(mountPoint);
    }

    static Bed create(Path larder, Path manifest) throws IOException {
        Path home = Files.createTempDirectory(Path.of("/var/tmp"), "ldrb");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path used = manifest == null ? Files.writeString(home.resolve("m.yaml"), DEFAULT_MANIFEST) : manifest;
        Bed bed = new Bed(larder, home, used.toAbsolutePath());
        bed.mount();
        return bed;
    }

    Target disk() {
        return disk;
    }

    Target volume() {
        return volume;
    }

    private String larder(String... arguments) throws IOException {
        String[] command = new String[arguments.length + 1];
        command[0] = larder.toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return Shell.run(home, Map.of("LARDER_STATE_DIR", home.resolve("state").toString()), command);
    }

    private void mount() throws IOException {
        larder("mount", manifest.toString(), mountPoint.toString());
    }

    private void umount() throws IOException {
        larder("umount", mountPoint.toString());
    }

    private JsonNode status() throws IOException {
        return JSON.readTree(larder("status", "-o", "json")).path(0);
    }

    Usage usage() throws IOException {
        return Usage.of(status().path("agentPid").asLong(), databasePid(), mountPoint);
    }

    private long databasePid() throws IOException {
        Path pid = home.resolve("state/postgres/data/postmaster.pid");
        return Files.exists(pid)
                ? Long.parseLong(Files.readAllLines(pid).getFirst().strip())
                : 0;
    }

    String describe() throws IOException {
        JsonNode status = status();
        return "volume: " + status.path("objectStore").asText() + ", metadata "
                + status.path("metadata").asText()
                + "; local disk: "
                + Shell.run(home, "df", "--output=fstype", home.toString())
                        .lines()
                        .toList()
                        .getLast()
                + ", " + Runtime.getRuntime().availableProcessors() + " cores, kernel "
                + System.getProperty("os.version");
    }

    @Override
    public void close() throws IOException {
        umount();
        Shell.run(Path.of("/"), "rm", "-rf", home.toString());
    }

    static final class Disk extends Target {
        Disk(Path root) {
            super("local disk", root);
        }

        @Override
        void cold() throws IOException {
            dropKernelCaches();
        }

        @Override
        void localCache() throws IOException {
            dropKernelCaches();
        }
    }

    private final class Volume extends Target {
        Volume(Path root) {
            super("volume", root);
        }

        @Override
        void cold() throws IOException {
            String cache = status().path("cacheDirectory").asText();
            umount();
            Shell.run(home, "rm", "-rf", cache);
            mount();
            dropKernelCaches();
        }

        @Override
        void localCache() throws IOException {
            umount();
            mount();
            dropKernelCaches();
        }
    }
}
