package dev.larder.operator;

import java.util.Locale;

/** Bytes as people read them in a column. */
final class Bytes {
    private static final String[] UNITS = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

    private Bytes() {}

    /** A Kubernetes quantity with one digit after the point, such as 1.5Gi; rounded, so that it changes rarely. */
    static String text(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        String number = unit == 0 ? Long.toString(bytes) : String.format(Locale.ROOT, "%.1f", value);
        return number.replaceFirst("\\.0$", "") + UNITS[unit];
    }
}
