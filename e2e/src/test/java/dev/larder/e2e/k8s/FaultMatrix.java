package dev.larder.e2e.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What tests saw of each fault, as the table docs/fault-matrix.md; written to target/, and to the document itself with
 * -Dlarder.docs=write. Rows of earlier runs stay where a run has none of its own.
 */
final class FaultMatrix {
    private static final Path DOCUMENT =
            Path.of("").toAbsolutePath().getParent().resolve("docs").resolve("fault-matrix.md");
    private static final String HEAD = """
            # What users of a volume see when something fails

            A pod reads, maps, writes, appends, renames and locks without a break while the fault happens; it counts errors and the longest time that one operation took. Written by the tests (`FaultMatrixTest`) on the three-node cluster of `e2e/cluster`, two cores for everything: times are for comparison.

            | fault | expected | errors | longest stall | recovery | data lost |
            |---|---|---|---|---|---|
            """;

    private final List<String> order = new ArrayList<>();

    /** @param recoveryMillis until each kind of work was done again */
    record Row(String fault, String expected, long errors, long stallMillis, long recoveryMillis, String lost) {
        String line() {
            return String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %.1f s | %s |",
                    fault,
                    expected,
                    errors < 0 ? "-" : Long.toString(errors),
                    stallMillis < 0 ? "-" : String.format(Locale.ROOT, "%.1f s", stallMillis / 1000.0),
                    recoveryMillis / 1000.0,
                    lost);
        }
    }

    /** A fault whose errors are expected and not counted. */
    void add(String test, String expected, long recoveryMillis) {
        add(new Row(fault(test), expected, -1, -1, recoveryMillis, "nothing"));
    }

    /** @param test name of its method, in camel case */
    void add(String test, String expected, JsonNode seen, long recoveryMillis) {
        String wrong =
                seen.path("wrong").isNull() ? "nothing" : seen.path("wrong").asText();
        add(new Row(
                fault(test),
                expected,
                seen.path("errors").asLong(),
                seen.path("longestStallMillis").asLong(),
                recoveryMillis,
                wrong));
    }

    private static String fault(String test) {
        String words = test.replaceAll("\\(.*", "").replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
        return words.strip();
    }

    private synchronized void add(Row row) {
        order.add(row.line());
        System.out.println(row.line());
        try {
            write(Path.of("target", "fault-matrix.md"));
            if ("write".equals(System.getProperty("larder.docs"))) {
                write(DOCUMENT);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(Path file) throws IOException {
        List<String> rows = new ArrayList<>();
        if (Files.exists(file)) {
            Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith("| ") && !line.startsWith("| fault |"))
                    .forEach(rows::add);
        }
        for (String line : order) {
            String fault = line.substring(0, line.indexOf('|', 2) + 1);
            int at = rows.stream().map(row -> row.startsWith(fault)).toList().indexOf(true);
            if (at < 0) {
                rows.add(line);
            } else {
                rows.set(at, line);
            }
        }
        Files.writeString(file, HEAD + String.join("\n", rows) + "\n");
    }
}
