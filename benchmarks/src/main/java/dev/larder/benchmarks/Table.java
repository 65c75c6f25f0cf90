package dev.larder.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Prints rows as they are measured. */
final class Table {
    private static final String FORMAT = "%-48s %11s %11s %7s %9s %9s %8s %6s %6s %7s%n";
    private static final int WIDTH = 131;

    void head(String bed) {
        System.out.println(bed);
        System.out.println();
        System.out.printf(
                Locale.ROOT,
                FORMAT,
                "row",
                "local disk",
                "volume",
                "ratio",
                "agent us",
                "db us",
                "trips",
                "PUTs",
                "GETs",
                "anon MB");
        System.out.println("-".repeat(WIDTH));
    }

    void row(Measured measured) {
        System.out.printf(
                Locale.ROOT,
                FORMAT,
                measured.row().name() + ", " + measured.row().unit(),
                number(measured.diskRate()),
                number(measured.volumeRate()),
                String.format(Locale.ROOT, "%.3f", measured.ratio()),
                String.format(Locale.ROOT, "%.0f", measured.agentMicros()),
                String.format(Locale.ROOT, "%.0f", measured.databaseMicros()),
                String.format(Locale.ROOT, "%.3f", measured.statements()),
                String.format(Locale.ROOT, "%.0f", measured.puts()),
                String.format(Locale.ROOT, "%.0f", measured.gets()),
                measured.agentAnonBytes() >> 20);
    }

    void foot(long idleAnonBytes) {
        System.out.println("-".repeat(WIDTH));
        System.out.println("Medians. agent us, db us: CPU time an operation (a megabyte of a large file, a file or"
                + " directory of a tree); trips: statements an operation;");
        System.out.println("PUTs, GETs: of the measured part; anon MB: RssAnon + RssShmem of the agent after it, the"
                + " largest round. A fresh agent: " + (idleAnonBytes >> 20) + " MB.");
    }

    private static String number(double rate) {
        return rate >= 100 ? String.format(Locale.ROOT, "%,.0f", rate) : String.format(Locale.ROOT, "%.2f", rate);
    }

    static void write(Path file, List<Measured> results) throws IOException {
        List<Map<String, Object>> rows = results.stream().map(Table::json).toList();
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), rows);
    }

    private static Map<String, Object> json(Measured one) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("row", one.row().name());
        row.put("unit", one.row().unit());
        row.put("disk", one.diskRate());
        row.put("volume", one.volumeRate());
        row.put("ratio", one.ratio());
        row.put("agentMicros", one.agentMicros());
        row.put("databaseMicros", one.databaseMicros());
        row.put("statements", one.statements());
        row.put("puts", one.puts());
        row.put("gets", one.gets());
        row.put("agentAnonBytes", one.agentAnonBytes());
        return row;
    }
}
