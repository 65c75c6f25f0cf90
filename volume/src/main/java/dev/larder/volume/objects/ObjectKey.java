package dev.larder.volume.objects;

import java.util.regex.Pattern;

/**
 * The one place where keys are judged, for every store: relative, '/'-separated parts of [a-zA-Z0-9._-], none of them
 * "." or "..", a part at most 255 and a key at most 512 characters. So a key is a safe relative path, an ordinary S3 key
 * (the limit there is 1,024 bytes) and sorts the same everywhere.
 */
final class ObjectKey {
    private static final int MAX_KEY_CHARS = 512;
    private static final Pattern KEY =
            Pattern.compile("(?!\\.{1,2}(/|$))[a-zA-Z0-9._-]{1,255}(/(?!\\.{1,2}(/|$))[a-zA-Z0-9._-]{1,255})*");

    private ObjectKey() {}

    /** @throws IllegalArgumentException not a key */
    static String valid(String key) {
        if (key.length() > MAX_KEY_CHARS || !KEY.matcher(key).matches()) {
            throw new IllegalArgumentException("'" + key + "' is not an object key: it needs '/'-separated parts of"
                    + " letters, digits, '.', '_' and '-', at most " + MAX_KEY_CHARS + " characters");
        }
        return key;
    }

    /** A prefix of keys: empty, a key, or the beginning of one. */
    static String validPrefix(String prefix) {
        if (!prefix.isEmpty()) {
            valid(prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix);
        }
        return prefix;
    }

    /** A store's own prefix as it is put before its keys: empty, or a key and a '/'. */
    static String storePrefix(String prefix) {
        String trimmed = prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
        return trimmed.isEmpty() ? "" : valid(trimmed) + "/";
    }
}
