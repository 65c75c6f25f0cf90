package dev.larder.crds;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Secrets: documents of the kind Secret, and files with lines {@code key=value}. Neither is ever shown. */
public final class SecretReader {
    public static final Set<String> DATABASE_KEYS = Set.of("username", "password");
    public static final Set<String> S3_KEYS = Set.of("accessKeyId", "secretAccessKey");
    public static final Set<String> S3_OPTIONAL_KEYS = Set.of("sessionToken");

    static final String KIND = "Secret";
    private static final int MAX_BYTES = 64 << 10;

    private SecretReader() {}

    static Map<String, String> read(Fields fields) {
        String type = fields.text("type");
        if (type != null && !type.equals("Opaque")) {
            fields.problem("type", "is 'Opaque' for Larder, not '" + type + "'");
        }
        fields.require("stringData");
        Fields data = fields.object("stringData");
        return data == null ? Map.of() : Map.copyOf(data.pairs());
    }

    /**
     * The secret that a source names.
     *
     * @throws IOException with a message for the user when it is missing, readable by others, or lacks a key
     */
    public static Map<String, String> resolve(
            SecretSource source, Map<String, Map<String, String>> secrets, Set<String> keys, Set<String> optional)
            throws IOException {
        if (source.secretRef() != null) {
            return secrets.get(source.secretRef());
        }
        Path file = source.secretFile();
        Map<String, String> secret = file(file);
        List<String> faults = faults(secret, keys, optional);
        if (!faults.isEmpty()) {
            throw new IOException("secret file " + file + " " + String.join("; ", faults));
        }
        return secret;
    }

    private static Map<String, String> file(Path file) throws IOException {
        try {
            if (!Files.isRegularFile(file) && Files.exists(file)) {
                throw new IOException("secret file " + file + " is not a regular file");
            }
            if (!isPrivate(file)) {
                throw new IOException("secret file " + file + " may be read by others: chmod 600 " + file
                        + ", and change the secret");
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("secret file " + file + " has more than " + MAX_BYTES + " bytes");
            }
            Map<String, String> pairs = new LinkedHashMap<>();
            int number = 0;
            for (String line : Files.readAllLines(file)) {
                number++;
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                int equals = line.indexOf('=');
                if (equals < 1) {
                    throw new IOException("secret file " + file + ":" + number + ": is not key=value");
                }
                pairs.put(
                        line.substring(0, equals).strip(),
                        line.substring(equals + 1).strip());
            }
            return pairs;
        } catch (NoSuchFileException e) {
            throw new IOException("secret file " + file + " does not exist", e);
        } catch (MalformedInputException e) {
            throw new IOException("secret file " + file + " is not text", e);
        }
    }

    /** What is wrong with a secret's keys, without its values. */
    static List<String> faults(Map<String, String> secret, Set<String> keys, Set<String> optional) {
        List<String> faults = new ArrayList<>();
        for (String key : keys.stream().sorted().toList()) {
            if (secret.getOrDefault(key, "").isEmpty()) {
                faults.add("lacks the key " + key);
            }
        }
        for (String key : secret.keySet()) {
            if (!keys.contains(key) && !optional.contains(key)) {
                faults.add("has the unknown key " + key);
            }
        }
        return faults;
    }

    /** Only its owner may read or write it. */
    static boolean isPrivate(Path file) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        return permissions.stream()
                .allMatch(permission -> permission == PosixFilePermission.OWNER_READ
                        || permission == PosixFilePermission.OWNER_WRITE
                        || permission == PosixFilePermission.OWNER_EXECUTE);
    }
}
