package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Kubernetes quantity of bytes, such as 100Gi, 1.5T or 1048576.
 *
 * @param text as it was written
 * @param bytes its value, rounded up to a byte, positive
 */
public record Quantity(@JsonValue String text, long bytes) {
    private static final Pattern FORM =
            Pattern.compile("([0-9]{1,19}(?:\\.[0-9]{1,9})?)(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E|)");
    private static final Map<String, BigDecimal> UNITS = Map.ofEntries(
            Map.entry("", BigDecimal.ONE),
            Map.entry("k", BigDecimal.TEN.pow(3)),
            Map.entry("M", BigDecimal.TEN.pow(6)),
            Map.entry("G", BigDecimal.TEN.pow(9)),
            Map.entry("T", BigDecimal.TEN.pow(12)),
            Map.entry("P", BigDecimal.TEN.pow(15)),
            Map.entry("E", BigDecimal.TEN.pow(18)),
            Map.entry("Ki", BigDecimal.TWO.pow(10)),
            Map.entry("Mi", BigDecimal.TWO.pow(20)),
            Map.entry("Gi", BigDecimal.TWO.pow(30)),
            Map.entry("Ti", BigDecimal.TWO.pow(40)),
            Map.entry("Pi", BigDecimal.TWO.pow(50)),
            Map.entry("Ei", BigDecimal.TWO.pow(60)));

    /** @throws IllegalArgumentException with a message that says what is wrong and shows a right one */
    public static Quantity parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a quantity such as 100Gi or 500M");
        }
        BigDecimal exact = new BigDecimal(matcher.group(1)).multiply(UNITS.get(matcher.group(2)));
        if (exact.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is more than 8Ei bytes less one");
        }
        long bytes = exact.setScale(0, java.math.RoundingMode.CEILING).longValueExact();
        if (bytes <= 0) {
            throw new IllegalArgumentException("'" + text + "' is not more than zero");
        }
        return new Quantity(text, bytes);
    }

    @Override
    public String toString() {
        return text;
    }
}
