package dev.larder.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files that a database's URL names, looked at before anything connects with them. */
final class TlsFiles {
    private static final int ROOT = 0;
    /** A key file with parameters or certificates before its key is shorter. */
    private static final int MOST_BYTES = 65_536;

    private static final Set<PosixFilePermission> OWNERS = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OWNERS_AND_GROUPS = PosixFilePermissions.fromString("rwxr-----");

    private TlsFiles() {}

    /**
     * A private key is accepted as libpq accepts it: no access for group and others, or group may read what root owns.
     *
     * @param parameters of the URL, checked
     * @return what JDBC must be told besides them, as in a URL's query; "" for nothing
     * @throws CommandFailure a file is not there, cannot be read, or is a key that others may read or that Java cannot
     */
    static String require(String parameters) {
        Map<String, Path> files = new HashMap<>();
        for (String parameter : parameters.split("&", -1)) {
            int equals = parameter.indexOf('=');
            String key = parameter.substring(0, Math.max(0, equals));
            if (Set.of("sslrootcert", "sslcert", "sslkey").contains(key)) {
                files.put(key, Path.of(URLDecoder.decode(parameter.substring(equals + 1), StandardCharsets.UTF_8)));
            }
        }
        files.forEach(TlsFiles::require);
        return files.containsKey("sslkey") ? keyAlgorithm(files.get("sslkey"), files.get("sslcert")) : "";
    }

    /** JDBC takes every PEM key for one of RSA unless it is told otherwise; the certificate says of what it is. */
    private static String keyAlgorithm(Path key, Path certificate) {
        String form = pemForm(key);
        if (form == null) {
            return "";
        }
        if (!form.equals("PRIVATE KEY")) {
            throw CommandFailure.failed(
                    "sslkey " + key,
                    "is a PEM file of \"" + form + "\"; Java reads \"PRIVATE KEY\" (PKCS #8 without a password)",
                    "openssl pkcs8 -topk8 -nocrypt -in " + key + " -out NEW");
        }
        try (InputStream in = Files.newInputStream(certificate)) {
            return "pemKeyAlgorithm="
                    + CertificateFactory.getInstance("X.509")
                            .generateCertificate(in)
                            .getPublicKey()
                            .getAlgorithm();
        } catch (IOException | CertificateException e) {
            throw CommandFailure.failed("sslcert " + certificate, e, "openssl x509 -noout -subject -in " + certificate);
        }
    }

    /** What the PEM file's first block is, or null for another format (PKCS #8 DER, PKCS #12). */
    private static String pemForm(Path key) {
        try (InputStream in = Files.newInputStream(key)) {
            String begin = new String(in.readNBytes(MOST_BYTES), StandardCharsets.ISO_8859_1);
            Matcher block =
                    Pattern.compile("-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----").matcher(begin);
            return block.find() ? block.group(1) : null;
        } catch (IOException e) {
            throw CommandFailure.failed("sslkey " + key, StateDirectory.reason(e), "ls -lL " + key);
        }
    }

    private static void require(String key, Path file) {
        String what = key + " " + file;
        try {
            Map<String, Object> attributes = Files.readAttributes(file, "unix:uid,permissions,isRegularFile");
            if (!Boolean.TRUE.equals(attributes.get("isRegularFile")) || !Files.isReadable(file)) {
                throw CommandFailure.failed(what, "is no file that can be read", "ls -lL " + file);
            }
            boolean roots = attributes.get("uid").equals(ROOT);
            if (key.equals("sslkey") && isOpen(file, roots)) {
                throw CommandFailure.failed(
                        what,
                        "others have access to this private key: " + permissions(file)
                                + ", but rw------- is the most, or rw-r----- when root owns it",
                        "chmod 600 " + file);
            }
        } catch (NoSuchFileException e) {
            throw CommandFailure.failed(what, "there is no such file", "the URL of the MetadataStore");
        } catch (IOException e) {
            throw CommandFailure.failed(what, StateDirectory.reason(e), "ls -lL " + file);
        }
    }

    private static boolean isOpen(Path file, boolean roots) throws IOException {
        Set<PosixFilePermission> given = EnumSet.noneOf(PosixFilePermission.class);
        given.addAll(Files.getPosixFilePermissions(file));
        return !(roots ? OWNERS_AND_GROUPS : OWNERS).containsAll(given);
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
