package dev.larder.crds;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The parameters of a database's URL: libpq's names, with paths instead of its places in the home directory.
 *
 * @param tls those of TLS, as they were given
 * @param primary a server that can be written to was asked for, in libpq's words or in JDBC's
 */
record UrlParameters(String tls, boolean primary) {
    private static final Set<String> MODES = Set.of("disable", "require", "verify-ca", "verify-full");
    private static final Set<String> FILES = Set.of("sslrootcert", "sslcert", "sslkey");
    private static final Map<String, Set<String>> PRIMARY =
            Map.of("target_session_attrs", Set.of("read-write", "primary"), "targetServerType", Set.of("primary"));

    /** @throws IllegalArgumentException its message says what is wrong */
    static UrlParameters parse(String rawQuery) {
        Map<String, String> given = new HashMap<>();
        List<String> tls = new ArrayList<>();
        for (String parameter : rawQuery.isEmpty() ? new String[0] : rawQuery.split("&", -1)) {
            int equals = parameter.indexOf('=');
            String key = equals < 0 ? parameter : parameter.substring(0, equals);
            String value = equals < 0 ? "" : URLDecoder.decode(parameter.substring(equals + 1), StandardCharsets.UTF_8);
            refuse(key, value);
            if (given.put(key, value) != null) {
                throw new IllegalArgumentException("has " + key + " twice");
            }
            if (!PRIMARY.containsKey(key)) {
                tls.add(parameter);
            }
        }
        refuseContradiction(given);
        return new UrlParameters(
                String.join("&", tls), PRIMARY.keySet().stream().anyMatch(given::containsKey));
    }

    private static void refuse(String key, String value) {
        Set<String> primary = PRIMARY.get(key);
        if (primary != null) {
            if (!primary.contains(value)) {
                throw new IllegalArgumentException(
                        "has " + key + "=" + value + ", but every mount writes: only the primary serves");
            }
        } else if (!key.equals("sslmode") && !FILES.contains(key)) {
            throw new IllegalArgumentException(
                    "has parameters other than sslmode, sslrootcert, sslcert, sslkey and target_session_attrs");
        } else if (FILES.contains(key) && !Path.of(value).isAbsolute()) {
            throw new IllegalArgumentException("has " + key + ", which needs an absolute path");
        }
    }

    private static void refuseContradiction(Map<String, String> given) {
        String mode = given.getOrDefault("sslmode", "require");
        if (!MODES.contains(mode)) {
            throw new IllegalArgumentException("has an sslmode other than disable, require, verify-ca and verify-full");
        }
        if (mode.startsWith("verify-") != given.containsKey("sslrootcert")) {
            throw new IllegalArgumentException(
                    "needs sslrootcert with sslmode verify-ca or verify-full, and only then");
        }
        if (given.containsKey("sslcert") != given.containsKey("sslkey")) {
            throw new IllegalArgumentException("needs both of sslcert and sslkey, or none");
        }
    }
}
