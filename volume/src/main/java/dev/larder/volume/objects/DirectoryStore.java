package dev.larder.volume.objects;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.OpenFlags;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Objects as files below a directory: the key is the path, files 0600, directories 0700. A put writes a file in the
 * root's "~incoming" ('~' is in no key), syncs it, renames it into place and syncs the directory, so an object is there
 * whole or not at all, also after a power loss. What a crashed writer left in "~incoming" is swept an hour later, by the
 * next store that opens the directory; several nodes may share it.
 *
 * <p>Symbolic links below the root are never followed. Safe for any number of threads.
 */
public final class DirectoryStore implements ObjectStore {
    private static final String INCOMING = "~incoming";
    private static final Duration LEFTOVER_AGE = Duration.ofHours(1);
    private static final Logger LOG = LoggerFactory.getLogger(DirectoryStore.class);
    /** Smaller ranges have neighbours of other files, which are read next. */
    private static final long LARGE_READ_BYTES = 1L << 20;

    private static final long MAX_TRANSFER_BYTES = 1L << 30;
    private static final FileAttribute<?> FILE_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<?> DIRECTORY_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /** A session writes into a few directories. */
    private static final int MAX_DURABLE = 10_000;

    private final Path root;
    private final Path incoming;
    private final DirectorySync directorySync;
    /** Directories whose entries this store knows to be durable; a directory is never removed. */
    private final Set<Path> durable = ConcurrentHashMap.newKeySet();

    /** fsync of a directory: the entries that it has when this is called are durable when it returns. */
    interface DirectorySync {
        void sync(Path directory) throws IOException;
    }

    private DirectoryStore(Path root, DirectorySync directorySync) {
        this.root = root;
        this.incoming = root.resolve(INCOMING);
        this.directorySync = directorySync;
    }

    /** Opens a directory, making it (not its parents) when it is missing. */
    public static DirectoryStore open(Path directory) throws IOException {
        return open(directory, DirectoryStore::sync);
    }

    static DirectoryStore open(Path directory, DirectorySync directorySync) throws IOException {
        try {
            boolean missing = Files.notExists(directory);
            if (missing) {
                makeDirectory(directory);
            }
            DirectoryStore store = new DirectoryStore(directory.toRealPath(), directorySync);
            store.makeRootDurable(missing);
            makeDirectory(store.incoming);
            store.sweep();
            return store;
        } catch (IOException failure) {
            throw explain("open", directory, failure);
        }
    }

    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        Path target = root.resolve(ObjectKey.valid(key));
        Path file = incoming.resolve(UUID.randomUUID().toString());
        try {
            writeSynced(file, bytes);
            moveIntoPlace(file, target);
        } catch (IOException failure) {
            throw explain("write object " + key + " in", root, failure);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        Path file = existing(key);
        try (FileChannel channel = FileChannel.open(file, Set.of(StandardOpenOption.READ, NOFOLLOW_LINKS))) {
            long done = 0;
            while (done < into.byteSize()) {
                ByteBuffer part = slice(into, done);
                int count = channel.read(part, offset + done);
                if (count < 0) {
                    throw new EOFException("object " + key + " ends at byte " + channel.size() + ", "
                            + (offset + into.byteSize()) + " were asked for");
                }
                done += count;
            }
            if (into.byteSize() >= LARGE_READ_BYTES) {
                forgetPages(file, offset, into.byteSize());
            }
        } catch (NoSuchFileException absent) {
            throw missing(key);
        } catch (IOException failure) {
            throw explain("read object " + key + " in", root, failure);
        }
    }

    @Override
    public long size(String key) throws IOException {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(existing(key), BasicFileAttributes.class, NOFOLLOW_LINKS);
            if (!attributes.isRegularFile()) {
                throw missing(key);
            }
            return attributes.size();
        } catch (NoSuchFileException absent) {
            throw missing(key);
        } catch (FileSystemException failure) {
            throw explain("look at object " + key + " in", root, failure);
        }
    }

    @Override
    public void delete(Iterable<String> keys) throws IOException {
        for (String key : keys) {
            deleteOne(key);
        }
    }

    @Override
    public void list(String prefix, Consumer<Listed> each) throws IOException {
        ObjectKey.validPrefix(prefix);
        Path from = root.resolve(prefix.substring(0, prefix.lastIndexOf('/') + 1));
        if (!isInside(from)) {
            return;
        }
        try {
            Files.walkFileTree(from, new Lister(prefix, each));
        } catch (IOException failure) {
            throw explain("list", root, failure);
        }
    }

    @Override
    public void probe() throws IOException {
        StoreProbe.run(this);
    }

    @Override
    public String describe() {
        return "directory " + root;
    }

    @Override
    public String toString() {
        return describe();
    }

    @Override
    public void close() {
        // Nothing is held between calls.
    }

    private static void writeSynced(Path file, MemorySegment bytes) throws IOException {
        Set<StandardOpenOption> create = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (FileChannel channel = FileChannel.open(file, create, FILE_MODE)) {
            long done = 0;
            while (done < bytes.byteSize()) {
                done += channel.write(slice(bytes, done), done);
            }
            channel.force(false);
        }
        forgetPages(file, 0, 0);
    }

    /**
     * The node's cache has these bytes: they need not be in memory twice, and a page that is given back is cheaper to use
     * again than a fresh one. Of no matter when it fails.
     *
     * @param length 0 = to the end
     */
    private static void forgetPages(Path file, long offset, long length) {
        try (Descriptor descriptor = LinuxFile.open(file, OpenFlags.O_RDONLY | OpenFlags.O_CLOEXEC, 0)) {
            LinuxFile.advise(descriptor.number(), offset, length, LinuxFile.FADV_DONTNEED);
        } catch (LinuxException e) {
            LOG.debug("pages of an object stay in memory: file={} cause={}", file, e.getMessage());
        }
    }

    private void moveIntoPlace(Path file, Path target) throws IOException {
        Path parent = target.getParent();
        makeDurable(parent);
        Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
        directorySync.sync(parent);
    }

    /**
     * Makes a directory with those above it, and returns when the entries on the whole path are durable. That a directory
     * is there does not say so: another thread, or another node's store, may have made it a moment ago and not have synced
     * its parent yet. So each directory that this store did not see durable before has its parent synced here, after it
     * was seen: an fsync covers the entries that exist when it begins, whoever made them, and what is remembered is
     * remembered behind it. Parents come first, so whenever the power is lost, what is durable is a path from the root;
     * and the object is renamed into place behind all of them, so a put that returned has all of its path.
     */
    private void makeDurable(Path directory) throws IOException {
        if (directory.equals(root) || durable.contains(directory) && isInside(directory)) {
            return;
        }
        makeDurable(directory.getParent());
        makeDirectory(directory);
        directorySync.sync(directory.getParent());
        if (durable.size() >= MAX_DURABLE) {
            durable.clear();
        }
        durable.add(directory);
    }

    /** Also when it was there already: another store may just have made it. A parent that may not be read is another's care. */
    private void makeRootDurable(boolean made) throws IOException {
        Path parent = root.getParent();
        if (parent == null) {
            return;
        }
        try {
            directorySync.sync(parent);
        } catch (AccessDeniedException e) {
            if (made) {
                throw e;
            }
            LOG.debug("the directory above the objects cannot be synced: {}", e.getMessage());
        }
    }

    private static void makeDirectory(Path directory) throws IOException {
        try {
            Files.createDirectory(directory, DIRECTORY_MODE);
        } catch (FileAlreadyExistsException already) {
            if (!Files.isDirectory(directory, NOFOLLOW_LINKS)) {
                throw already;
            }
        }
    }

    /** A directory of the root, reached without a symbolic link. */
    private boolean isInside(Path directory) {
        for (Path at = directory; !at.equals(root); at = at.getParent()) {
            if (!Files.isDirectory(at, NOFOLLOW_LINKS)) {
                return false;
            }
        }
        return Files.isDirectory(root, NOFOLLOW_LINKS);
    }

    private void deleteOne(String key) throws IOException {
        Path file = root.resolve(ObjectKey.valid(key));
        try {
            if (isInside(file.getParent())) {
                Files.deleteIfExists(file);
            } else if (missing(key) instanceof StoreAccessException away) {
                throw away;
            }
        } catch (IOException failure) {
            throw explain("delete object " + key + " in", root, failure);
        }
    }

    private Path existing(String key) throws IOException {
        Path file = root.resolve(ObjectKey.valid(key));
        if (!isInside(file.getParent())) {
            throw missing(key);
        }
        return file;
    }

    /** Without its root a store has not lost an object: the disk is not mounted. */
    private IOException missing(String key) {
        if (!Files.isDirectory(root, NOFOLLOW_LINKS)) {
            return new StoreAccessException("the object directory " + root
                    + " is not there: mount its disk or correct the path in the volume's configuration");
        }
        return new MissingObjectException(key);
    }

    private static void sync(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static ByteBuffer slice(MemorySegment bytes, long from) {
        return bytes.asSlice(from, Math.min(MAX_TRANSFER_BYTES, bytes.byteSize() - from))
                .asByteBuffer();
    }

    private void sweep() throws IOException {
        Instant limit = Instant.now().minus(LEFTOVER_AGE);
        try (var leftovers = Files.newDirectoryStream(incoming)) {
            for (Path leftover : leftovers) {
                sweepOlder(leftover, limit);
            }
        }
    }

    private static void sweepOlder(Path leftover, Instant limit) throws IOException {
        try {
            if (Files.getLastModifiedTime(leftover, NOFOLLOW_LINKS).toInstant().isBefore(limit)) {
                Files.deleteIfExists(leftover);
            }
        } catch (NoSuchFileException gone) {
            // Its writer has just renamed it.
        }
    }

    private static IOException explain(String action, Path directory, IOException failure) {
        if (failure instanceof MissingObjectException || failure instanceof StoreAccessException) {
            return failure;
        }
        String place = "cannot " + action + " " + directory + ": ";
        if (failure instanceof AccessDeniedException) {
            return new StoreAccessException(
                    place + "permission denied; the directory must belong to the user that serves the volume", failure);
        }
        if (failure instanceof NoSuchFileException gone) {
            return new StoreAccessException(
                    place + gone.getFile() + " is not there; create it or mount its disk", failure);
        }
        String cause = failure instanceof FileSystemException system && system.getReason() != null
                ? system.getReason()
                : failure.getMessage();
        if (cause != null && cause.contains("Read-only file system")) {
            return new StoreAccessException(place + "its file system is read-only; mount it writable", failure);
        }
        return new IOException(place + cause, failure);
    }

    private final class Lister extends SimpleFileVisitor<Path> {
        private final String prefix;
        private final Consumer<Listed> each;

        Lister(String prefix, Consumer<Listed> each) {
            this.prefix = prefix;
            this.each = each;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return directory.equals(incoming) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String key = root.relativize(file).toString();
            if (attributes.isRegularFile() && key.startsWith(prefix)) {
                each.accept(new Listed(
                        key, attributes.size(), attributes.lastModifiedTime().toInstant()));
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
            if (failure instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE; // deleted while it was listed
            }
            throw failure;
        }
    }
}
