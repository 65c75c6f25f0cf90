package dev.larder.crds;

import java.util.Locale;

/** Whether a word is probably another one misspelled. */
public final class Spelling {
    private static final int LONGEST = 64;

    private Spelling() {}

    /** At most two letters, and at most a third of them, are wrong, missing or too many. */
    public static boolean near(String right, String written) {
        if (written.length() > LONGEST) {
            return false;
        }
        String a = right.toLowerCase(Locale.ROOT);
        String b = written.toLowerCase(Locale.ROOT);
        return distance(a, b) <= Math.min(2, Math.max(1, a.length() / 3));
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(changed, Math.min(previous[j], row[j - 1]) + 1);
            }
            previous = row;
        }
        return previous[b.length()];
    }
}
