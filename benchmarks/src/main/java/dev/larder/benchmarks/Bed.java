package dev.larder.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** A fresh state directory with one mounted volume, and a directory beside it on the same disk. */
final class Bed implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path larder;
    private final Thread interrupted = new Thread(this::closeInterrupted, "interrupted");
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Path home;
    private final Backing backing;
    private final Path manifest;
    private final Path mountPoint;
    private final Disk disk;
    private final Volume volume;
    private final long idleAnonBytes;
    private JsonNode status;

    private Bed(Path larder, Path home, Backing backing, Path manifest) throws IOException {
        this.larder = larder;
        this.home = home;
        this.backing = backing;
        this.manifest = manifest == null ? backing.manifest() : manifest.toAbsolutePath();
        this.mountPoint = Files.createDirectory(home.resolve("volume"));
        this.disk = new Disk(Files.createDirectory(home.resolve("disk")));
        this.volume = new Volume(mountPoint);
        Runtime.getRuntime().addShutdownHook(interrupted);
        mount();
        this.idleAnonBytes = volume.usage().agentAnonBytes();
    }

    /**
     * @param manifest of the volume to measure, or null
     * @param delay added to each statement's round trip
     */
    static Bed create(Path larder, Path manifest, boolean s3, Duration delay) throws IOException {
        Path home = Files.createTempDirectory(Path.of("/var/tmp"), "ldrb");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        Backing backing = Backing.of(home, s3, delay.dividedBy(2));
        try {
            return new Bed(larder, home, backing, manifest);
        } catch (IOException | RuntimeException e) {
            backing.close();
            throw e;
        }
    }

    Target disk() {
        return disk;
    }

    Target volume() {
        return volume;
    }

    /** Of an agent that has only mounted. */
    long idleAnonBytes() {
        return idleAnonBytes;
    }

    private String larder(String... arguments) throws IOException {
        String[] command = new String[arguments.length + 1];
        command[0] = larder.toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return Shell.run(home, Map.of("LARDER_STATE_DIR", home.resolve("state").toString()), command);
    }

    private void mount() throws IOException {
        larder("mount", manifest.toString(), mountPoint.toString());
        status = JSON.readTree(larder("status", "-o", "json")).path(0);
    }

    private void umount() throws IOException {
        larder("umount", mountPoint.toString());
    }

    private long databasePid() throws IOException {
        Path pid = backing.database().resolve("data/postmaster.pid");
        return Files.exists(pid)
                ? Long.parseLong(Files.readAllLines(pid).getFirst().strip())
                : 0;
    }

    String describe() throws IOException {
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
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try (backing) {
            umount();
        }
        Shell.run(Path.of("/"), "rm", "-rf", home.toString());
    }

    /** Ctrl-C leaves no mount behind. */
    private void closeInterrupted() {
        try {
            close();
        } catch (IOException e) {
            System.err.println("benchmark: something is left below " + home + ": " + e.getMessage());
        }
    }

    static final class Disk extends Target {
        Disk(Path root) {
            super("local disk", root);
        }

        @Override
        Usage usage() {
            return Usage.NONE;
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
        Usage usage() throws IOException {
            return Usage.of(status.path("agentPid").asLong(), databasePid(), mountPoint);
        }

        @Override
        void cold() throws IOException {
            umount();
            Shell.run(home, "rm", "-rf", status.path("cacheDirectory").asText());
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
