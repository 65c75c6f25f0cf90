package dev.larder.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Aligned columns under a head; a column whose head begins with '>' is aligned right. */
final class Table {
    private static final String GAP = "  ";

    private final List<String[]> rows = new ArrayList<>();
    private final boolean[] right;

    Table(String... heads) {
        right = new boolean[heads.length];
        String[] head = new String[heads.length];
        for (int i = 0; i < heads.length; i++) {
            right[i] = heads[i].startsWith(">");
            head[i] = right[i] ? heads[i].substring(1) : heads[i];
        }
        rows.add(head);
    }

    Table row(Object... cells) {
        if (cells.length != right.length) {
            throw new IllegalArgumentException(cells.length + " cells in " + right.length + " columns");
        }
        rows.add(Arrays.stream(cells)
                .map(cell -> cell == null ? "-" : clean(cell.toString()))
                .toArray(String[]::new));
        return this;
    }

    /** A name with control characters must not move the cursor. */
    private static String clean(String text) {
        StringBuilder clean = new StringBuilder();
        text.chars().forEach(c -> {
            if (c < ' ' || c == 0x7f) {
                clean.append(String.format("\\x%02x", c));
            } else {
                clean.append((char) c);
            }
        });
        return clean.toString();
    }

    void print(PrintStream out) {
        print(out, true);
    }

    /** @param withHead false for the next page of a table that is printed already */
    void print(PrintStream out, boolean withHead) {
        int[] widths = new int[right.length];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].codePointCount(0, row[i].length()));
            }
        }
        for (String[] row : withHead ? rows : rows.subList(1, rows.size())) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String fill = " ".repeat(widths[i] - row[i].codePointCount(0, row[i].length()));
                line.append(i == 0 ? "" : GAP).append(right[i] ? fill + row[i] : row[i] + fill);
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
