package dev.larder.csi.custody;

import dev.larder.csi.VolumeSecret;
import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.MountDirectory;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.VolumeAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What agents read of each volume, below the run directory: {@code volumes/UUID/} with the record of the mount and the
 * files of the Secret, for root alone, each replaced at once. They outlive this process and end with the node.
 */
final class VolumeRecords {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeRecords.class);

    private final Path root;

    VolumeRecords(Path runDirectory) {
        this.root = runDirectory.resolve("volumes");
    }

    Path directory(UUID volume) {
        return root.resolve(volume.toString());
    }

    /**
     * Writes what is new; of an older generation nothing is written.
     *
     * @param mountPoint where the volume is mounted
     * @param exclusive no other node may use it meanwhile: counts from the agent's next session on
     */
    void write(UUID volume, VolumeSecret secret, Path mountPoint, boolean exclusive) {
        Path directory = directory(volume);
        VolumeAccess access = secret.access();
        try {
            makePrivate(root);
            makePrivate(directory);
            if (access.generation() < generation(volume)) {
                return;
            }
            for (String name : VolumeAccess.FILES) {
                String text = secret.files().get(name);
                if (text == null) {
                    Files.deleteIfExists(directory.resolve(name));
                } else {
                    replace(directory.resolve(name), text.getBytes(StandardCharsets.UTF_8));
                }
            }
            MountSpec.Cache cache = access.cacheBytes() == 0 ? null : new MountSpec.Cache(null, access.cacheBytes());
            List<String> files = List.copyOf(secret.files().keySet());
            replace(
                    directory.resolve(MountSpec.FILE),
                    json(access.mountSpec(mountPoint, directory, files, cache, exclusive)));
            // Last: with this generation everything is there.
            replace(directory.resolve(VolumeAccess.FILE), json(access));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the record " + directory + ": " + e.getMessage(), e);
        }
    }

    /** Of the Secret that was written last; -1 without one. */
    long generation(UUID volume) throws IOException {
        VolumeAccess access = access(volume);
        return access == null ? -1 : access.generation();
    }

    /** namespace/name of the SharedVolume; null without a record that can be read. */
    String name(UUID volume) {
        try {
            VolumeAccess access = access(volume);
            return access == null ? null : access.volume();
        } catch (IOException e) {
            LOG.warn("the record of a volume cannot be read volume={} cause={}", volume, e.getMessage());
            return null;
        }
    }

    private VolumeAccess access(UUID volume) throws IOException {
        try {
            return ControlProtocol.json()
                    .readValue(Files.readAllBytes(directory(volume).resolve(VolumeAccess.FILE)), VolumeAccess.class);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** As it was written last; false without a record. */
    boolean isExclusive(UUID volume) {
        try {
            return ControlProtocol.json()
                    .readValue(Files.readAllBytes(directory(volume).resolve(MountSpec.FILE)), MountSpec.class)
                    .exclusive();
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the record " + directory(volume) + ": " + e.getMessage(), e);
        }
    }

    /** Whether the volume could be mounted again by what is here. */
    boolean isComplete(UUID volume) {
        return Files.exists(directory(volume).resolve(VolumeAccess.FILE));
    }

    /** Of a mount that is dead: the next one has nothing open, so nothing of it is continued. */
    void forgetMount(UUID volume) {
        new MountDirectory(directory(volume)).forget();
    }

    /** Everything, secrets too. */
    void delete(UUID volume) {
        Path directory = directory(volume);
        if (!Files.isDirectory(directory)) {
            return;
        }
        try {
            new MountDirectory(directory).forget();
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the record " + directory + ": " + e.getMessage(), e);
        }
    }

    private static byte[] json(Object value) throws IOException {
        return ControlProtocol.json().writeValueAsBytes(value);
    }

    private static void makePrivate(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    private static void replace(Path file, byte[] bytes) throws IOException {
        if (Files.exists(file) && Arrays.equals(Files.readAllBytes(file), bytes)) {
            return;
        }
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(fresh, bytes);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
