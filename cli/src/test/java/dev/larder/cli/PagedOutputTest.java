package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PagedOutputTest {
    private record Row(int number, String name) {}

    private static final List<Row> FIRST = List.of(new Row(1, "one"), new Row(2, "two"));
    private static final List<Row> SECOND = List.of(new Row(3, "three"));

    @SafeVarargs
    private static String printed(OutputFormat format, List<Row>... pages) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        PagedOutput<Row> output = new PagedOutput<>(out, format, rows -> {
            Table table = new Table(">NO", "NAME");
            rows.forEach(row -> table.row(row.number(), row.name()));
            return table;
        });
        assertEquals(0, bytes.size());
        for (List<Row> page : pages) {
            output.page(page);
        }
        output.end();
        out.println("behind");
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aTableHasOneHead() {
        assertEquals(
                "NO  NAME\n 1  one\n 2  two\n 3  three\nbehind\n",
                printed(OutputFormat.table, FIRST, List.of(), SECOND));
        assertEquals("NO  NAME\nbehind\n", printed(OutputFormat.table, List.of()));
    }

    @Test
    void jsonIsOneArray() {
        String whole = """
                [ {
                  "number" : 1,
                  "name" : "one"
                }, {
                  "number" : 2,
                  "name" : "two"
                }, {
                  "number" : 3,
                  "name" : "three"
                } ]
                behind
                """;
        assertEquals(whole, printed(OutputFormat.json, FIRST, SECOND));
        assertEquals("[ ]\nbehind\n", printed(OutputFormat.json));
    }

    @Test
    void yamlIsOneList() {
        assertEquals(
                "- number: 1\n  name: one\n- number: 2\n  name: two\n- number: 3\n  name: three\nbehind\n",
                printed(OutputFormat.yaml, FIRST, List.of(), SECOND));
        assertEquals("[]\nbehind\n", printed(OutputFormat.yaml));
    }
}
