package dev.larder.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** Every row, in the order of the table. */
final class Rows {
    private Rows() {}

    static List<Row> all(double scale) {
        List<Row> rows = new ArrayList<>();
        rows.addAll(NameRows.all(scale));
        rows.addAll(SmallFileRows.all(scale));
        rows.addAll(LargeFileRows.all(scale));
        rows.addAll(TreeRows.all());
        return rows;
    }
}
