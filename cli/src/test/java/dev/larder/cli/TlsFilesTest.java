package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose key is accepted: as libpq has it. */
final class TlsFilesTest {
    @TempDir
    Path directory;

    @Test
    void aKeyThatOthersMayReadIsRefused() throws Exception {
        Path key = Files.createFile(directory.resolve("key"));
        boolean root = Files.getAttribute(key, "unix:uid").equals(0);
        for (String mode : new String[] {"rw-------", "r--------"}) {
            Files.setPosixFilePermissions(key, PosixFilePermissions.fromString(mode));
            assertDoesNotThrow(() -> TlsFiles.require("sslkey=" + key), mode);
        }
        for (String mode : new String[] {"rw-r--r--", "rw-rw----", "rw----r--", "rw---x---"}) {
            Files.setPosixFilePermissions(key, PosixFilePermissions.fromString(mode));
            CommandFailure refused =
                    assertThrows(CommandFailure.class, () -> TlsFiles.require("sslmode=require&sslkey=" + key), mode);
            assertEquals(ExitCodes.FAILED, refused.exitCode());
            assertTrue(refused.line().contains(key + ": others have access"), refused.line());
            assertTrue(refused.line().endsWith("Try: chmod 600 " + key), refused.line());
        }
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r-----"));
        if (root) {
            assertDoesNotThrow(() -> TlsFiles.require("sslkey=" + key));
            Files.setAttribute(key, "unix:uid", 65_534);
        }
        assertThrows(CommandFailure.class, () -> TlsFiles.require("sslkey=" + key), "not root's");
    }

    @Test
    void aKeyThatJavaDoesNotReadIsRefused() throws Exception {
        Path key = directory.resolve("key");
        Path certificate = Files.writeString(directory.resolve("cert"), "nonsense");
        String parameters = "sslcert=" + certificate + "&sslkey=" + key;
        Files.write(key, new byte[] {0x30, 0x10});
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        assertEquals("", TlsFiles.require(parameters), "no PEM");
        Files.writeString(key, "-----BEGIN EC PARAMETERS-----\n\n-----BEGIN EC PRIVATE KEY-----\n");
        CommandFailure refused = assertThrows(CommandFailure.class, () -> TlsFiles.require(parameters));
        assertTrue(refused.line().contains("\"EC PRIVATE KEY\""), refused.line());
        assertTrue(refused.line().contains("Try: openssl pkcs8"), refused.line());
        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\n");
        CommandFailure unread = assertThrows(CommandFailure.class, () -> TlsFiles.require(parameters));
        assertTrue(unread.line().contains("sslcert " + certificate), unread.line());
    }

    @Test
    void certificatesMayBeReadByAllAndMustBeThere() throws Exception {
        Path certificate = Files.createFile(directory.resolve("cert 1"));
        Files.setPosixFilePermissions(certificate, PosixFilePermissions.fromString("rw-r--r--"));
        String encoded = certificate.toString().replace(" ", "%20");
        assertDoesNotThrow(() -> TlsFiles.require("sslcert=" + encoded + "&sslrootcert=" + encoded));
        Files.delete(certificate);
        CommandFailure missing =
                assertThrows(CommandFailure.class, () -> TlsFiles.require("sslmode=verify-ca&sslrootcert=" + encoded));
        assertTrue(missing.line().contains("sslrootcert " + certificate + ": there is no such file"), missing.line());
    }
}
