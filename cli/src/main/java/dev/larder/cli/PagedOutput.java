package dev.larder.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.SequenceWriter;
import dev.larder.protocol.ControlProtocol;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Function;

/**
 * A list that is printed page by page as it comes, so that it may be of any length: one table (each page as wide as it
 * needs), one JSON array or one YAML list. Nothing is printed before the first page; without {@link #end} a JSON array
 * stays open, so that nobody takes a part for the whole.
 */
final class PagedOutput<T> {
    private final PrintStream out;
    private final OutputFormat format;
    private final Function<List<T>, Table> table;
    private SequenceWriter json;
    private boolean begun;

    PagedOutput(PrintStream out, OutputFormat format, Function<List<T>, Table> table) {
        this.out = out;
        this.format = format;
        this.table = table;
    }

    void page(List<T> rows) {
        if (rows.isEmpty()) {
            return;
        }
        switch (format) {
            case json -> array(rows, false);
            case table -> table.apply(rows).print(out, !begun);
            case yaml -> format.print(out, rows, () -> table.apply(rows));
        }
        begun = true;
    }

    void end() {
        if (format == OutputFormat.json) {
            array(List.of(), true);
            out.println();
        } else if (!begun) {
            format.print(out, List.of(), () -> table.apply(List.of()));
        }
    }

    private void array(List<T> rows, boolean last) {
        try {
            if (json == null) {
                json = ControlProtocol.json()
                        .writerWithDefaultPrettyPrinter()
                        .without(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
                        .writeValuesAsArray(out);
            }
            json.writeAll(rows).flush();
            if (last) {
                json.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the output cannot be written", e);
        }
    }
}
