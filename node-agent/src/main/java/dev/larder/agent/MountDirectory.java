package dev.larder.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.UUID;
import java.util.stream.Stream;

/** The files of one mount, in a directory that only its owner may enter. */
public record MountDirectory(Path root) {
    /** What is to be mounted, written by the command. */
    public Path spec() {
        return root.resolve("spec.json");
    }

    /** The command talks to the agent here. */
    public Path control() {
        return root.resolve("control.sock");
    }

    /** Agents collect the FUSE descriptor from the supervisor here. */
    public Path custody() {
        return root.resolve("custody.sock");
    }

    /** Backing ids that the kernel holds for this mount. */
    public Path backing() {
        return root.resolve("backing");
    }

    private Path session() {
        return root.resolve("session");
    }

    /** The metadata session that a dead agent of this mount left, or null. */
    public UUID rememberedSession() {
        try {
            return UUID.fromString(Files.readString(session()).strip());
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Remembered before anything is served under it. */
    public void rememberSession(UUID session) {
        try {
            Path fresh = root.resolve("session.new");
            Files.writeString(fresh, session + "\n");
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
            Files.move(fresh, session(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The mount is gone: nothing of it may be continued. */
    public void forget() {
        for (Path file : new Path[] {session(), backing(), control(), custody()}) {
            try (Stream<Path> tree = Files.walk(file)) {
                for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            } catch (NoSuchFileException e) {
                // It never was, or has gone with the mount.
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
