package dev.larder.crds;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The parameters of a database's URL: libpq's names, with paths instead of its places in the home directory. */
final class TlsParameters {
    private static final Set<String> MODES = Set.of("disable", "require", "verify-ca", "verify-full");
    private static final Set<String> FILES = Set.of("sslrootcert", "sslcert", "sslkey");

    private TlsParameters() {}

    /** @return what is wrong with a URL's query, or null */
    static String wrong(String rawQuery) {
        if (rawQuery == null) {
            return null;
        }
        Map<String, String> given = new HashMap<>();
        for (String parameter : rawQuery.split("&", -1)) {
            int equals = parameter.indexOf('=');
            String key = equals < 0 ? parameter : parameter.substring(0, equals);
            if (!key.equals("sslmode") && !FILES.contains(key)) {
                return "has parameters other than sslmode, sslrootcert, sslcert and sslkey";
            }
            String value = equals < 0 ? "" : URLDecoder.decode(parameter.substring(equals + 1), StandardCharsets.UTF_8);
            if (given.put(key, value) != null) {
                return "has " + key + " twice";
            }
            if (FILES.contains(key) && !Path.of(value).isAbsolute()) {
                return "has " + key + ", which needs an absolute path";
            }
        }
        return contradiction(given);
    }

    private static String contradiction(Map<String, String> given) {
        String mode = given.getOrDefault("sslmode", "require");
        if (!MODES.contains(mode)) {
            return "has an sslmode other than disable, require, verify-ca and verify-full";
        }
        if (mode.startsWith("verify-") != given.containsKey("sslrootcert")) {
            return "needs sslrootcert with sslmode verify-ca or verify-full, and only then";
        }
        if (given.containsKey("sslcert") != given.containsKey("sslkey")) {
            return "needs both of sslcert and sslkey, or none";
        }
        return null;
    }
}
