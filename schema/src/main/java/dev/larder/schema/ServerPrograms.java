package dev.larder.schema;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/** The server's programs, unpacked once from the class path. The caller holds the installation's lock. */
public final class ServerPrograms {
    /** The system property that names a directory where they are installed already; the image sets it. */
    private static final String INSTALLED = "larder.postgres.programs";

    /** As the zonky binaries' jar names it. */
    private static final String ARCHIVE = "/postgres-linux-" + architecture() + ".txz";

    private ServerPrograms() {}

    private static String architecture() {
        String arch = System.getProperty("os.arch");
        return switch (arch) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm_64";
            default -> arch;
        };
    }

    /**
     * @return the directory with bin, lib and share; its name carries the archive's checksum, so versions lie side by
     *     side. Where programs are installed, theirs.
     */
    public static Path unpack(Path parent) throws IOException {
        String installed = System.getProperty(INSTALLED);
        if (installed != null) {
            return Path.of(installed);
        }
        Path programs = parent.resolve("programs-" + checksum());
        if (Files.isDirectory(programs)) {
            return programs;
        }
        Path temporary = parent.resolve(programs.getFileName() + ".partial");
        delete(temporary);
        Files.createDirectory(temporary);
        try (InputStream packed = archive();
                TarArchiveInputStream tar = new TarArchiveInputStream(new XZCompressorInputStream(packed))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                unpackEntry(tar, entry, temporary);
            }
        }
        try (Stream<Path> tree = Files.walk(temporary)) {
            for (Path path : (Iterable<Path>) tree.filter(Files::isDirectory)::iterator) {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
        try {
            Files.move(temporary, programs, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException | FileAlreadyExistsException e) {
            throw new PostgresException("cannot put the PostgreSQL programs in place at " + programs, e);
        }
        return programs;
    }

    private static InputStream archive() {
        InputStream packed = ServerPrograms.class.getResourceAsStream(ARCHIVE);
        if (packed == null) {
            throw new PostgresException("this build carries no PostgreSQL for this processor (" + ARCHIVE
                    + " is not on the class path); give the URL of a PostgreSQL server instead");
        }
        return packed;
    }

    private static String checksum() throws IOException {
        CRC32C sum = new CRC32C();
        try (InputStream packed = archive()) {
            byte[] buffer = new byte[64 * 1024];
            for (int n = packed.read(buffer); n >= 0; n = packed.read(buffer)) {
                sum.update(buffer, 0, n);
            }
        }
        return HexFormat.of().toHexDigits((int) sum.getValue());
    }

    private static void unpackEntry(TarArchiveInputStream tar, TarArchiveEntry entry, Path into) throws IOException {
        Path target = into.resolve(entry.getName()).normalize();
        if (!target.startsWith(into)) {
            throw new PostgresException("the PostgreSQL archive holds a path outside of it: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(target);
            return;
        }
        Files.createDirectories(target.getParent());
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
            return;
        }
        Files.copy(tar, target);
        boolean executable = (entry.getMode() & 0100) != 0;
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
    }

    static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) paths.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }
}
