package dev.larder.volume.objects;

import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** The key of a segment's object: the id's high half (its session) as 16 hex digits, '/', its low half. */
public final class SegmentKey {
    private static final Pattern KEY = Pattern.compile("[0-9a-f]{16}/[0-9a-f]{16}");
    private static final HexFormat HEX = HexFormat.of();

    private SegmentKey() {}

    public static String of(UUID segment) {
        return HEX.toHexDigits(segment.getMostSignificantBits()) + "/"
                + HEX.toHexDigits(segment.getLeastSignificantBits());
    }

    /** @return empty when the key is not a segment's */
    public static Optional<UUID> parse(String key) {
        return KEY.matcher(key).matches()
                ? Optional.of(
                        new UUID(HexFormat.fromHexDigitsToLong(key, 0, 16), HexFormat.fromHexDigitsToLong(key, 17, 33)))
                : Optional.empty();
    }
}
