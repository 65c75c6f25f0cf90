package dev.larder.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The directory that becomes the image's root. Every path given here is the path in the image. */
final class StagedRoot {
    private final Path root;

    /** Empties the directory, or makes it. */
    StagedRoot(Path root) throws IOException {
        this.root = root;
        delete(root);
        directory("/", "rwxr-xr-x");
    }

    Path path(String inImage) {
        return root.resolve(inImage.substring(1));
    }

    void directory(String inImage, String permissions) throws IOException {
        Path made = path(inImage);
        Files.createDirectories(made);
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString(permissions));
    }

    void text(String inImage, String content) throws IOException {
        Path file = path(inImage);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    void link(String inImage, String to) throws IOException {
        Path link = path(inImage);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, Path.of(to));
    }

    /** Follows links: a library is stored under the name that programs ask for. */
    void file(Path source, String inImage, boolean executable) throws IOException {
        Path file = path(inImage);
        Files.createDirectories(file.getParent());
        Files.copy(source, file, StandardCopyOption.REPLACE_EXISTING);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
    }

    /** A tree as it is, with its modes and links. */
    void tree(Path source, String inImage) throws IOException {
        try (Stream<Path> all = Files.walk(source)) {
            for (Path one : (Iterable<Path>) all::iterator) {
                Path to = path(inImage).resolve(source.relativize(one).toString());
                if (Files.isDirectory(one, LinkOption.NOFOLLOW_LINKS)) {
                    Files.createDirectories(to);
                } else {
                    Files.copy(one, to, LinkOption.NOFOLLOW_LINKS, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }

    /** Everything below, parents first, in the order of their names. */
    List<Path> walk() throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return all.filter(path -> !path.equals(root)).sorted().toList();
        }
    }

    String inImage(Path staged) {
        return "/" + root.relativize(staged);
    }

    /** One time for every file: the build's result is the same when its parts are. */
    void setTimes(long epochSeconds) throws IOException {
        FileTime time = FileTime.fromMillis(epochSeconds * 1000);
        for (Path path : walk().reversed()) {
            if (!Files.isSymbolicLink(path)) {
                Files.setLastModifiedTime(path, time);
            }
        }
    }

    static void delete(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    static List<Path> filesBelow(Path directory) {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(Files::isRegularFile)
                    .sorted(Comparator.naturalOrder())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
