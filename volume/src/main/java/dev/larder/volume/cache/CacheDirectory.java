package dev.larder.volume.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The layout of a cache directory: CACHE (format, volume), lock, boot (present while open: which boot wrote here),
 * index, journal/, files/xx/inode. Owned by one process at a time.
 */
final class CacheDirectory implements AutoCloseable {
    private static final int FORMAT = 1;
    private static final int DIRECTORIES = 256;
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** How the last process left the directory. */
    enum LastStop {
        /** Closed in order, or new. */
        CLEAN,
        /** Died, but the page cache lives. */
        KILLED,
        /** The machine stopped too: only what was forced is there. */
        POWER_LOST
    }

    private final Path root;
    private final FileChannel lockChannel;
    private final FileLock lock;
    private final LastStop lastStop;
    /** Those of files/ that this process knows to be there. */
    private final AtomicReferenceArray<Path> directories = new AtomicReferenceArray<>(DIRECTORIES);

    private CacheDirectory(Path root, FileChannel lockChannel, FileLock lock, String bootId) throws IOException {
        this.root = root;
        this.lockChannel = lockChannel;
        this.lock = lock;
        this.lastStop = readLastStop(bootId);
    }

    static CacheDirectory open(Path root, UUID volume) {
        return open(root, volume, currentBoot());
    }

    static CacheDirectory open(Path root, UUID volume, String bootId) {
        try {
            Files.createDirectories(
                    root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            FileChannel channel =
                    FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                FileLock lock = lock(channel, root);
                checkOwner(root, volume);
                Files.createDirectories(root.resolve("files"));
                CacheDirectory directory = new CacheDirectory(root, channel, lock, bootId);
                replace(root.resolve("boot"), bootId);
                return directory;
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open the cache directory " + root + ": " + e.getMessage(), e);
        }
    }

    private static FileLock lock(FileChannel channel, Path root) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new IllegalStateException("the cache directory " + root
                    + " is in use by another process: stop it or choose another directory");
        }
        return lock;
    }

    private static void checkOwner(Path root, UUID volume) throws IOException {
        Path file = root.resolve("CACHE");
        if (!Files.exists(file)) {
            replace(file, "format=" + FORMAT + "\nvolume=" + volume + "\n");
            return;
        }
        Properties owner = new Properties();
        try (var in = Files.newInputStream(file)) {
            owner.load(in);
        }
        int format = parseFormat(owner.getProperty("format", ""), file);
        if (format > FORMAT) {
            throw new IllegalStateException("the cache directory " + root + " has format " + format
                    + ", this version knows " + FORMAT + ": use a newer Larder or another directory");
        }
        if (!volume.toString().equals(owner.getProperty("volume"))) {
            throw new IllegalStateException("the cache directory " + root + " belongs to volume "
                    + owner.getProperty("volume") + ", not to " + volume + ": choose another directory");
        }
    }

    private static int parseFormat(String text, Path file) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalStateException(
                    "the cache's description " + file + " is damaged (format \"" + text
                            + "\"): move the directory away",
                    e);
        }
    }

    private LastStop readLastStop(String bootId) throws IOException {
        Path boot = root.resolve("boot");
        if (!Files.exists(boot)) {
            return LastStop.CLEAN;
        }
        return Files.readString(boot).equals(bootId) ? LastStop.KILLED : LastStop.POWER_LOST;
    }

    private static void replace(Path file, String text) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel out = FileChannel.open(
                next, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            out.write(java.nio.ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
            out.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        forceDirectory(file.getParent());
    }

    private static void forceDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    static String currentBoot() {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + BOOT_ID, e);
        }
    }

    LastStop lastStop() {
        return lastStop;
    }

    Path root() {
        return root;
    }

    Path index() {
        return root.resolve("index");
    }

    Path journal() {
        return root.resolve("journal");
    }

    Path probe() {
        return root.resolve("probe");
    }

    /** The inode's file; its directory is made. */
    Path file(long inode) {
        int number = (int) (inode & (DIRECTORIES - 1));
        Path directory = directories.get(number);
        if (directory == null) {
            directory = makeDirectory(number);
            directories.set(number, directory);
        }
        return directory.resolve(Long.toHexString(inode));
    }

    private Path makeDirectory(int number) {
        Path directory = root.resolve("files").resolve(String.format("%02x", number));
        try {
            return Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make " + directory + ": " + e.getMessage(), e);
        }
    }

    /** Walks over every cache file; only after a stop that left no index to believe. */
    void eachFile(Consumer<Long> action) {
        try (Stream<Path> directories = Files.list(root.resolve("files"))) {
            for (Path directory : directories.toList()) {
                List<Path> files;
                try (Stream<Path> listed = Files.list(directory)) {
                    files = listed.toList();
                }
                files.forEach(f ->
                        action.accept(Long.parseUnsignedLong(f.getFileName().toString(), 16)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot walk over " + root + ": " + e.getMessage(), e);
        }
    }

    /** The mark of a stop in order; call when all is forced. */
    void markClean() {
        try {
            Files.deleteIfExists(root.resolve("boot"));
            forceDirectory(root);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot mark " + root + " as clean: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try (lockChannel) {
            lock.release();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unlock " + root + ": " + e.getMessage(), e);
        }
    }
}
