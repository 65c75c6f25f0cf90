package dev.larder.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.stream.Stream;

/** A few thousand operations of every kind a mount is asked for, so that an agent's recording knows their code. */
final class Training {
    private static final int ROUNDS = 60;
    private static final int LARGE_BYTES = 12 << 20;

    private Training() {}

    /** @param directory an empty directory of a mount; it is empty again afterwards */
    static void run(Path directory) throws IOException {
        for (int round = 0; round < ROUNDS; round++) {
            names(Files.createDirectory(directory.resolve("round" + round)));
        }
        large(directory.resolve("large"));
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path one : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
                if (!one.equals(directory)) {
                    Files.delete(one);
                }
            }
        }
    }

    private static void names(Path directory) throws IOException {
        Path file = directory.resolve("file");
        Files.writeString(file, "small ".repeat(700));
        Files.writeString(file, "appended", StandardOpenOption.APPEND);
        Files.readString(file);
        Files.exists(directory.resolve("absent"));
        Files.createLink(directory.resolve("hard"), file);
        Files.createSymbolicLink(directory.resolve("soft"), Path.of("file"));
        Files.readAttributes(directory.resolve("soft"), "unix:*", LinkOption.NOFOLLOW_LINKS);
        Files.readSymbolicLink(directory.resolve("soft"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
        UserDefinedFileAttributeView attributes = Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
        attributes.write("larder", ByteBuffer.wrap(new byte[] {1}));
        attributes.list();
        attributes.read("larder", ByteBuffer.allocate(8));
        attributes.delete("larder");
        Files.move(directory.resolve("hard"), directory.resolve("moved"));
        Files.copy(file, directory.resolve("moved"), StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileLock _ = channel.lock(0, 100, false)) {
            channel.write(ByteBuffer.wrap(new byte[100]), 50);
            channel.force(true);
            channel.truncate(1000);
        }
        try (Stream<Path> entries = Files.list(directory)) {
            entries.forEach(Files::isDirectory);
        }
        Files.getFileStore(directory).getUsableSpace();
    }

    private static void large(Path file) throws IOException {
        ByteBuffer block = ByteBuffer.allocateDirect(128 << 10);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (int written = 0; written < LARGE_BYTES; written += block.capacity()) {
                channel.write(block.clear());
            }
            channel.force(false);
            for (int at = 0; at < LARGE_BYTES; at += block.capacity()) {
                channel.read(block.clear(), at);
            }
        }
    }
}
