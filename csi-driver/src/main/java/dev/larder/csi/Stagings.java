package dev.larder.csi;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Where each volume is staged, in files of the run directory: they outlive this process and end with the node, as mounts
 * do. Nothing is mounted at a staging path. Kubelet does not unstage as long as it finds another mount of the same device
 * (GetDeviceMountRefs in kubelet's csi_attacher.go), and the volume's own mount would always be one. The caller holds the
 * volume's lock.
 */
final class Stagings {
    private final Path root;

    Stagings(Path runDirectory) {
        this.root = runDirectory.resolve("staged");
    }

    Set<Path> of(UUID volume) {
        try {
            return Files.readAllLines(file(volume)).stream()
                    .map(Path::of)
                    .collect(Collectors.toCollection(LinkedHashSet::new));
        } catch (NoSuchFileException e) {
            return new LinkedHashSet<>();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read where the volume is staged: " + e.getMessage(), e);
        }
    }

    void add(UUID volume, Path staging) {
        Set<Path> all = of(volume);
        if (all.add(staging)) {
            write(volume, all);
        }
    }

    void remove(UUID volume, Path staging) {
        Set<Path> all = of(volume);
        if (all.remove(staging)) {
            write(volume, all);
        }
    }

    private void write(UUID volume, Set<Path> all) {
        Path file = file(volume);
        try {
            if (all.isEmpty()) {
                Files.delete(file);
                return;
            }
            Files.createDirectories(
                    root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Path fresh = file.resolveSibling(volume + ".new");
            String lines = all.stream().map(path -> path + "\n").collect(Collectors.joining());
            Files.writeString(fresh, lines, StandardCharsets.UTF_8);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot record where the volume is staged: " + e.getMessage(), e);
        }
    }

    private Path file(UUID volume) {
        return root.resolve(volume.toString());
    }
}
