package dev.larder.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.larder.protocol.ControlProtocol;
import java.io.PrintStream;
import java.util.function.Supplier;

/** How a command prints its data. */
enum OutputFormat {
    table,
    json,
    yaml;

    /** @param table made only when a table is asked for */
    void print(PrintStream out, Object data, Supplier<Table> table) {
        try {
            switch (this) {
                case table -> table.get().print(out);
                case json -> out.println(indented().writeValueAsString(data));
                case yaml -> {
                    JsonNode tree = ControlProtocol.json().valueToTree(data);
                    out.print(YAMLMapper.builder()
                            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                            .build()
                            .writeValueAsString(tree));
                }
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("data that cannot be printed", e);
        }
    }

    private static ObjectWriter indented() {
        return ControlProtocol.json().writerWithDefaultPrettyPrinter();
    }
}
