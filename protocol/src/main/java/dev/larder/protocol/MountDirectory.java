package dev.larder.protocol;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
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
        try {
            for (Path file : new Path[] {session(), control(), custody()}) {
                Files.deleteIfExists(file);
            }
            deleteJournal(backing());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot forget the last mount of " + root + ": " + e.getMessage(), e);
        }
    }

    private static void deleteJournal(Path journal) throws IOException {
        if (!Files.isDirectory(journal)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> listed = Files.list(journal)) {
            files = listed.toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
        Files.delete(journal);
    }
}
