package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long something is kept: 30m, 12h, 7d, or 0 = not at all.
 *
 * @param text as it was written
 */
public record Retention(@JsonValue String text, Duration duration) {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,6})([smhd])");

    /** @throws IllegalArgumentException with a message that says what is wrong and shows a right one */
    public static Retention parse(String text) {
        if (text.equals("0")) {
            return new Retention(text, Duration.ZERO);
        }
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a time such as 12h or 7d, or \"0\" for none");
        }
        long count = Long.parseLong(matcher.group(1));
        return new Retention(
                text,
                switch (matcher.group(2)) {
                    case "s" -> Duration.ofSeconds(count);
                    case "m" -> Duration.ofMinutes(count);
                    case "h" -> Duration.ofHours(count);
                    default -> Duration.ofDays(count);
                });
    }

    @Override
    public String toString() {
        return text;
    }
}
