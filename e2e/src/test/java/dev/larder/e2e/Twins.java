package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.OpenFlags;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * One directory on the volume and its twin on the local disk: each random operation is done on both, and its outcome, the
 * same result or the same error, is compared. Used by one thread.
 */
final class Twins {
    /** Times set by hand lie before this; others are the clock's and are not compared. */
    private static final Instant BY_HAND = Instant.parse("2010-01-01T00:00:00Z");

    private static final int MOST_BYTES = 300_000;

    private final Path ours;
    private final Path theirs;
    private final Random random;
    private final List<String> history = new ArrayList<>();

    Twins(Path ours, Path theirs, long seed) throws IOException {
        this.ours = Files.createDirectory(ours);
        this.theirs = Files.createDirectory(theirs);
        this.random = new Random(seed);
    }

    private interface Operation {
        Object on(Path root) throws IOException;
    }

    void step() throws IOException {
        String one = path();
        String other = path();
        int at = random.nextInt(random.nextInt(4) == 0 ? MOST_BYTES : 20_000);
        byte[] bytes = new byte[1 + random.nextInt(random.nextInt(6) == 0 ? MOST_BYTES : 8_000)];
        random.nextBytes(bytes);
        int number = random.nextInt(512);
        switch (random.nextInt(22)) {
            case 0, 1 ->
                both(
                        "create " + one + " " + bytes.length,
                        root -> Files.write(
                                root.resolve(one), bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
            case 2 -> both("replace " + one + " " + bytes.length, root -> Files.write(root.resolve(one), bytes));
            case 3, 4 ->
                both("write " + one + " at " + at + " " + bytes.length, root -> write(root.resolve(one), at, bytes));
            case 5, 6 ->
                both(
                        "append " + one + " " + bytes.length,
                        root -> Files.write(root.resolve(one), bytes, StandardOpenOption.APPEND));
            case 7 -> both("truncate " + one + " " + at, root -> truncate(root.resolve(one), at));
            case 8, 9 ->
                both(
                        "rename " + one + " " + other,
                        root -> Files.move(root.resolve(one), root.resolve(other), StandardCopyOption.ATOMIC_MOVE));
            case 10 ->
                both("link " + one + " " + other, root -> Files.createLink(root.resolve(other), root.resolve(one)));
            case 11 -> both("remove " + one, root -> Files.deleteIfExists(root.resolve(one)));
            case 12 -> both("mkdir " + one, root -> Files.createDirectory(root.resolve(one)));
            case 13 ->
                both(
                        "symlink " + one + " " + other,
                        root -> Files.createSymbolicLink(root.resolve(one), Path.of(other)));
            case 14 ->
                both(
                        "chmod " + one + " " + number,
                        root -> Files.setAttribute(
                                root.resolve(one), "unix:mode", number | 0600, LinkOption.NOFOLLOW_LINKS));
            case 15 ->
                both(
                        "setxattr " + one + " " + number,
                        root -> xattrs(root.resolve(one))
                                .write(
                                        "k" + number % 5,
                                        ByteBuffer.wrap(bytes, 0, Math.min(bytes.length, 1 + number))));
            case 16 ->
                both("removexattr " + one + " " + number, root -> {
                    xattrs(root.resolve(one)).delete("k" + number % 5);
                    return null;
                });
            case 17 ->
                both(
                        "punch " + one + " " + at + " " + bytes.length,
                        root -> allocate(
                                root.resolve(one),
                                LinuxFile.FALLOC_FL_PUNCH_HOLE | LinuxFile.FALLOC_FL_KEEP_SIZE,
                                at,
                                bytes.length));
            case 18 ->
                both(
                        "fallocate " + one + " " + at + " " + number,
                        root -> allocate(root.resolve(one), number % 2, at, bytes.length));
            case 19 ->
                both(
                        "touch " + one + " " + number,
                        root -> Files.setLastModifiedTime(
                                root.resolve(one),
                                FileTime.from(Instant.ofEpochSecond(1_000_000_000L + number, 1000L * number + 1))));
            case 20 ->
                assertArrayEquals(
                        bytesOf(theirs.resolve(one)), bytesOf(ours.resolve(one)), () -> "read " + one + where());
            default -> assertEquals(tree(theirs.resolve(one)), tree(ours.resolve(one)), () -> "list " + one + where());
        }
    }

    private String path() {
        StringBuilder path = new StringBuilder("n" + random.nextInt(6));
        for (int deeper = random.nextInt(3); deeper > 0; deeper--) {
            path.append("/n").append(random.nextInt(6));
        }
        return path.toString();
    }

    private void both(String what, Operation operation) {
        history.add(what);
        assertEquals(outcome(theirs, operation), outcome(ours, operation), () -> what + where());
    }

    private String where() {
        return " on " + ours + " after " + history.subList(Math.max(0, history.size() - 12), history.size());
    }

    private List<String> historyOf(String path) {
        return history.stream()
                .filter(line -> (line + " ").contains(" " + path + " "))
                .toList();
    }

    /** The error's kind and reason, without its path. */
    private static String outcome(Path root, Operation operation) {
        try {
            operation.on(root);
            return "done";
        } catch (FileSystemException e) {
            return e.getClass().getSimpleName() + " " + e.getReason();
        } catch (IOException e) {
            return e.getMessage() == null ? e.toString() : e.getMessage().replace(root.toString(), "");
        } catch (LinuxException e) {
            return "errno " + e.errno();
        }
    }

    private static Object write(Path file, int at, byte[] bytes) throws IOException {
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            return channel.position(at).write(ByteBuffer.wrap(bytes));
        }
    }

    private static Object truncate(Path file, int size) throws IOException {
        if (!Files.isRegularFile(file)) {
            return null;
        }
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(size);
        }
        return null;
    }

    private static Object allocate(Path file, int mode, long offset, long length) {
        try (Descriptor open = LinuxFile.open(file, OpenFlags.O_RDWR, 0)) {
            LinuxFile.fallocate(open.number(), mode, offset, length);
        }
        return null;
    }

    private static UserDefinedFileAttributeView xattrs(Path file) {
        return Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    }

    /** null for what is no file. */
    private static byte[] bytesOf(Path file) throws IOException {
        return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
    }

    /** Everything of both trees. */
    void compare() throws IOException {
        Map<String, String> expected = tree(theirs);
        Map<String, String> seen = tree(ours);
        for (String path : expected.keySet()) {
            assertEquals(expected.get(path), seen.get(path), () -> path + " on " + ours + " after " + historyOf(path));
        }
        assertEquals(expected.keySet(), seen.keySet(), this::where);
        for (String path : expected.keySet()) {
            assertArrayEquals(bytesOf(theirs.resolve(path)), bytesOf(ours.resolve(path)), () -> path + where());
        }
    }

    private static Map<String, String> tree(Path root) throws IOException {
        Map<String, String> tree = new TreeMap<>();
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
            return tree;
        }
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                tree.put(root.relativize(path).toString(), describe(path));
            }
        }
        return tree;
    }

    private static String describe(Path path) throws IOException {
        Map<String, Object> stat =
                Files.readAttributes(path, "unix:mode,size,nlink,uid,gid,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
        if (Files.isSymbolicLink(path)) {
            return "-> " + Files.readSymbolicLink(path) + " " + stat.get("nlink");
        }
        Instant modified = ((FileTime) stat.get("lastModifiedTime")).toInstant();
        return "%o %s size %s links %s by %s:%s xattrs %s%s"
                .formatted(
                        (Integer) stat.get("mode"),
                        Files.isDirectory(path) ? "directory" : "file",
                        Files.isDirectory(path) ? "-" : stat.get("size"),
                        stat.get("nlink"),
                        stat.get("uid"),
                        stat.get("gid"),
                        attributes(path),
                        modified.isBefore(BY_HAND) ? " at " + modified : "");
    }

    private static Map<String, String> attributes(Path path) throws IOException {
        Map<String, String> all = new TreeMap<>();
        for (String name : xattrs(path).list()) {
            ByteBuffer value = ByteBuffer.allocate(xattrs(path).size(name));
            xattrs(path).read(name, value);
            all.put(name, Integer.toHexString(Arrays.hashCode(value.array())));
        }
        return all;
    }
}
