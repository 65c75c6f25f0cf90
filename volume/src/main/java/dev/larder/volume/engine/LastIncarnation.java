package dev.larder.volume.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;

/**
 * The incarnation of the database that this mount worked with last, in a file beside its cache: a successor that finds
 * another one knows that the database crashed and that its predecessor did not live to tell what that took.
 */
final class LastIncarnation {
    private final Path file;

    LastIncarnation(Path cacheDirectory) {
        this.file = cacheDirectory.resolve("incarnation");
    }

    /** @return false also when nothing, or nothing readable, is recorded */
    boolean is(UUID incarnation) {
        try {
            return Files.readString(file).strip().equals(incarnation.toString());
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    void record(UUID incarnation) {
        Path fresh = file.resolveSibling("incarnation.new");
        try {
            Files.deleteIfExists(fresh);
            Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, incarnation + "\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }
}
