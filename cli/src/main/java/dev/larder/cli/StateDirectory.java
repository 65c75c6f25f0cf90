package dev.larder.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;

/**
 * Where everything of this machine lies:
 *
 * <pre>
 * postgres/              the embedded server
 * volumes/NAME/          volume.json, password, objects/
 * cache/NAME/HASH/       the cache of one mount
 * mounts/HASH/           spec.json, control.sock, logs; HASH of the mount point
 * machine                a random name of this state directory, for logins of its own
 * lock                   held while something is provisioned or stopped
 * </pre>
 *
 * Everything is 0700 but the root and what the embedded server, which runs as another user, must pass through (0711).
 */
record StateDirectory(Path root) {
    private static final int HASH_BYTES = 8;

    Path postgres() {
        return root.resolve("postgres");
    }

    Path volumes() {
        return root.resolve("volumes");
    }

    Path volume(String name) {
        return volumes().resolve(name);
    }

    Path cache(String volume, Path mountPoint) {
        return root.resolve("cache").resolve(volume).resolve(hash(mountPoint));
    }

    Path mounts() {
        return root.resolve("mounts");
    }

    Path mount(Path mountPoint) {
        return mounts().resolve(hash(mountPoint));
    }

    /** 12 hexadecimal digits, made once; the caller holds the lock. */
    String machine() throws IOException {
        Path file = root.resolve("machine");
        if (!Files.exists(file)) {
            String made = UUID.randomUUID().toString().replace("-", "").substring(0, 12);
            writePrivate(file, made.getBytes(StandardCharsets.US_ASCII));
        }
        return Files.readString(file).strip();
    }

    static String hash(Path path) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest(path.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Makes the root. */
    void create() {
        try {
            makeDirectory(root, "rwx--x--x");
        } catch (IOException e) {
            throw CommandFailure.failed(
                    "state directory " + root,
                    "cannot be made: " + reason(e),
                    "larder --state-dir=DIRECTORY or LARDER_STATE_DIR=DIRECTORY");
        }
    }

    /** A file system's exceptions often say only the path. */
    static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.AccessDeniedException denied -> "permission denied: " + denied.getFile();
            case NoSuchFileException missing -> "does not exist: " + missing.getFile();
            case java.nio.file.FileAlreadyExistsException exists -> "is not a directory: " + exists.getFile();
            default -> e.getMessage();
        };
    }

    static Path makePrivate(Path directory) throws IOException {
        return makeDirectory(directory, "rwx------");
    }

    private static Path makeDirectory(Path directory, String mode) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory.getParent());
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)));
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
        }
        return directory;
    }

    /** Replaces a file as a whole, durable and never readable by others. */
    static void writePrivate(Path file, byte[] content) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID());
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(content));
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Excludes other commands that provision, mount or stop; waits at most {@code deadline}. */
    Lock lock(java.time.Duration deadline) {
        create();
        Path file = root.resolve("lock");
        long end = System.nanoTime() + deadline.toNanos();
        try {
            FileChannel channel = FileChannel.open(
                    file,
                    java.util.Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            FileLock lock = channel.tryLock();
            while (lock == null && System.nanoTime() < end) {
                Waiting.pause();
                lock = channel.tryLock();
            }
            if (lock == null) {
                channel.close();
                throw CommandFailure.failed(
                        "lock " + file, "another larder command has held it for " + deadline.toSeconds() + " s", null);
            }
            return new Lock(channel);
        } catch (IOException e) {
            throw CommandFailure.failed("lock " + file, reason(e), null);
        }
    }

    record Lock(FileChannel channel) implements AutoCloseable {
        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw CommandFailure.failed("lock", e, null);
            }
        }
    }
}
