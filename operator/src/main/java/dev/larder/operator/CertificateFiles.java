package dev.larder.operator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** PEM texts as files, named after their content: at most one for each version of each store. */
final class CertificateFiles {
    private final Path directory;

    /** @param directory of this process alone */
    CertificateFiles(Path directory) {
        this.directory = directory;
    }

    Path of(String pem) {
        try {
            byte[] bytes = pem.getBytes(StandardCharsets.UTF_8);
            String name = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 16);
            Path file = directory.resolve(name + ".pem");
            if (!Files.exists(file)) {
                Path partial = Files.createTempFile(directory, name, ".partial");
                Files.write(partial, bytes);
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
            }
            return file;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write certificates below " + directory + ": " + e.getMessage(), e);
        }
    }
}
