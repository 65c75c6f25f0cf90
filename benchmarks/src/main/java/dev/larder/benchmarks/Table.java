package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Prints rows as they are measured. */
final class Table {
    private static final String FORMAT = "%-44s %12s %12s %8s %9s %9s %10s %8s%n";

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
                "agent s",
                "db s",
                "statements",
                "anon MB");
        System.out.println("-".repeat(118));
    }

    void row(Measured measured) {
        System.out.printf(
                Locale.ROOT,
                FORMAT,
                measured.row().name() + ", " + measured.row().unit(),
                number(measured.diskRate()),
                number(measured.volumeRate()),
                String.format(Locale.ROOT, "%.3f", measured.ratio()),
                String.format(Locale.ROOT, "%.2f", measured.agentCpuSeconds()),
                String.format(Locale.ROOT, "%.2f", measured.databaseCpuSeconds()),
                String.format(Locale.ROOT, "%.0f", measured.statements()),
                measured.agentAnonBytes() >> 20);
    }

    void foot(Bed bed) throws IOException {
        System.out.println("-".repeat(118));
        System.out.println(
                "agent s, db s: CPU seconds of a round, its preparation included; statements: sent in it. anon: RssAnon + RssShmem of the agent, the largest seen.");
        System.out.println("now: agent " + (bed.usage().agentAnonBytes() >> 20) + " MB anonymous");
    }

    private static String number(double rate) {
        return rate >= 100 ? String.format(Locale.ROOT, "%,.0f", rate) : String.format(Locale.ROOT, "%.2f", rate);
    }

    static void write(Path file, List<Measured> results) throws IOException {
        StringBuilder json = new StringBuilder("[\n");
        for (Measured one : results) {
            json.append(json.length() > 2 ? ",\n" : "")
                    .append(String.format(
                            Locale.ROOT,
                            "  {\"row\": \"%s\", \"unit\": \"%s\", \"disk\": %.3f, \"volume\": %.3f, \"ratio\": %.5f,"
                                    + " \"agentCpuSeconds\": %.2f, \"databaseCpuSeconds\": %.2f, \"statements\": %.0f, \"agentAnonBytes\": %d}",
                            one.row().name(),
                            one.row().unit(),
                            one.diskRate(),
                            one.volumeRate(),
                            one.ratio(),
                            one.agentCpuSeconds(),
                            one.databaseCpuSeconds(),
                            one.statements(),
                            one.agentAnonBytes()));
        }
        Files.writeString(file, json.append("\n]\n"));
    }
}
