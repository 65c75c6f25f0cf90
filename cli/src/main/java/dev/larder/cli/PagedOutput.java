package dev.larder.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.SequenceWriter;
import dev.larder.agent.api.ControlProtocol;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Function;

/**
 * A list that is printed page by page as it comes, so that it may be of any length: one table (each page as wide as it
 * needs), one JSON array or one YAML list. Closed also after a failure: what was printed is then well-formed.
 */
final class PagedOutput<T> implements AutoCloseable {
    private final PrintStream out;
    private final OutputFormat format;
    private final Function<List<T>, Table> table;
    private final SequenceWriter json;
    private boolean begun;

    PagedOutput(PrintStream out, OutputFormat format, Function<List<T>, Table> table) {
        this.out = out;
        this.format = format;
        this.table = table;
        this.json = format == OutputFormat.json ? array(out) : null;
    }

    private static SequenceWriter array(PrintStream out) {
        try {
            return ControlProtocol.json()
                    .writerWithDefaultPrettyPrinter()
                    .without(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
                    .writeValuesAsArray(out);
        } catch (IOException e) {
            throw new UncheckedIOException("the output cannot be written", e);
        }
    }

    void page(List<T> rows) {
        if (rows.isEmpty()) {
            return;
        }
        if (json != null) {
            try {
                json.writeAll(rows).flush();
            } catch (IOException e) {
                throw new UncheckedIOException("the output cannot be written", e);
            }
        } else if (format == OutputFormat.table) {
            table.apply(rows).print(out, !begun);
        } else {
            format.print(out, rows, () -> table.apply(rows));
        }
        begun = true;
    }

    @Override
    public void close() {
        if (json != null) {
            try {
                json.close();
            } catch (IOException e) {
                throw new UncheckedIOException("the output cannot be written", e);
            }
            out.println();
        } else if (!begun) {
            format.print(out, List.of(), () -> table.apply(List.of()));
        }
    }
}
