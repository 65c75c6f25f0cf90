package dev.larder.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** One user of the {@code larder} command, with a state directory, manifests and mount points of its own. */
final class Larder implements AutoCloseable {
    /** The repository's root: e2e's parent, where the launcher stands. */
    static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path home;
    private final List<Path> mounts = new ArrayList<>();

    private Larder(Path home) {
        this.home = home;
    }

    /** A short path, as AF_UNIX names are at most 108 bytes; open for the database's own user to pass through. */
    static Larder create() throws IOException {
        Path home = Files.createTempDirectory("ldr");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Larder(home);
    }

    Path home() {
        return home;
    }

    Path state() {
        return home.resolve("state");
    }

    Command.Result run(String... arguments) {
        return run(Duration.ofMinutes(4), arguments);
    }

    Command.Result run(Duration deadline, String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = ROOT.resolve("larder").toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return Command.run(home, Map.of("LARDER_STATE_DIR", state().toString()), deadline, command);
    }

    /** Writes a manifest beside the state directory. */
    Path manifest(String name, String yaml) throws IOException {
        Path file = home.resolve(name + ".yaml");
        Files.writeString(file, yaml);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    /** A volume of the embedded database and a directory store. */
    Path manifest(String name) throws IOException {
        return manifest(name, """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: %s
                spec: {}
                """.formatted(name));
    }

    /** Mounts on a new directory. */
    Path mount(Path manifest, String directory, String... options) throws IOException {
        Path mountPoint = home.resolve(directory);
        Files.createDirectories(mountPoint);
        List<String> arguments = new ArrayList<>(List.of("mount", manifest.toString(), mountPoint.toString()));
        arguments.addAll(Arrays.asList(options));
        run(arguments.toArray(String[]::new)).ok();
        mounts.add(mountPoint);
        return mountPoint;
    }

    void umount(Path mountPoint) {
        run("umount", mountPoint.toString()).ok();
        mounts.remove(mountPoint);
    }

    /** The entry of a mount point in {@code status -o json}. */
    JsonNode status(Path mountPoint) throws IOException {
        JsonNode all = JSON.readTree(run("status", "-o", "json").ok().out());
        for (JsonNode one : all) {
            if (one.path("mountPoint").asText().equals(mountPoint.toString())) {
                return one;
            }
        }
        throw new AssertionError(mountPoint + " is not in " + all);
    }

    /** Drops the cache of a volume that is not mounted. */
    void dropCache(String volume) throws IOException {
        deleteTree(state().resolve("cache").resolve(volume));
    }

    @Override
    public void close() throws IOException {
        AssertionError failed = null;
        for (Path mount : List.copyOf(mounts)) {
            try {
                umount(mount);
            } catch (AssertionError e) {
                failed = e;
                Command.run(home, "umount", "-l", mount.toString());
            }
        }
        if (failed != null) {
            throw failed;
        }
        deleteTree(home);
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure) {
                try {
                    Files.delete(directory);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
