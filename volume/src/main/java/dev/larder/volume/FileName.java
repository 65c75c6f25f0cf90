package dev.larder.volume;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * One component of a path: 1 to 255 bytes, any byte but NUL and '/', not "." or "..". Bytes, not characters: a name
 * need not be UTF-8.
 */
public final class FileName implements Comparable<FileName> {
    /** NAME_MAX of linux/limits.h. */
    public static final int MAX_BYTES = 255;

    /** Cookies below this one belong to "." and "..". */
    public static final long FIRST_COOKIE = 3;

    private static final MessageDigest SHA256 = newSha256();

    private final byte[] bytes;
    private final int hashCode;
    /** Of {@link #cookie}, 0 until it is asked for. */
    private long cookie;

    private FileName(byte[] bytes) {
        this.bytes = bytes;
        this.hashCode = Arrays.hashCode(bytes);
    }

    /**
     * A checked name; the array is kept, not copied.
     *
     * @throws ErrnoException ENAMETOOLONG or EINVAL
     */
    public static FileName of(byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            throw new ErrnoException(Errno.ENAMETOOLONG);
        }
        if (bytes.length == 0 || isDots(bytes)) {
            throw new ErrnoException(Errno.EINVAL);
        }
        for (byte b : bytes) {
            if (b == 0 || b == '/') {
                throw new ErrnoException(Errno.EINVAL);
            }
        }
        return new FileName(bytes);
    }

    public static FileName of(String name) {
        return of(name.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isDots(byte[] bytes) {
        return bytes[0] == '.' && (bytes.length == 1 || (bytes.length == 2 && bytes[1] == '.'));
    }

    /** The bytes themselves; do not change them. */
    public byte[] bytes() {
        return bytes;
    }

    /**
     * The readdir cookie of this name and its place in the directory's order: the first 63 bits of SHA-256 of the
     * bytes, at least {@link #FIRST_COOKIE}. Stored; never to change.
     */
    public long cookie() {
        if (cookie == 0) {
            long first = ByteBuffer.wrap(sha256().digest(bytes)).getLong();
            cookie = Math.max(first >>> 1, FIRST_COOKIE);
        }
        return cookie;
    }

    /** A clone costs a tenth of the search for an implementation. */
    private static MessageDigest sha256() {
        try {
            return (MessageDigest) SHA256.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("the platform's SHA-256 can be cloned", e);
        }
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public int compareTo(FileName other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileName name && hashCode == name.hashCode && Arrays.equals(bytes, name.bytes);
    }

    @Override
    public int hashCode() {
        return hashCode;
    }

    /** For people; bytes that are not UTF-8 show as the replacement character. */
    @Override
    public String toString() {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
