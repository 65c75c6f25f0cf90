package dev.larder.crds.v1alpha1;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/kubernetes-api.md says what the CRDs say. {@code -Dlarder.docs=write} writes the page anew. */
class ApiPageTest {
    private static final Path PAGE = Path.of("../docs/kubernetes-api.md");
    private static final Path CRDS = Path.of("src/main/resources/crds");
    private static final YAMLMapper YAML = new YAMLMapper();

    private static final String HEAD = """
            # The kinds of larder.dev/v1alpha1

            <!-- Made from the CRDs by ApiPageTest; do not edit. -->

            What `kubectl apply` takes. Fields that stand on [the manifest's page](manifest.md), too, mean the same there. A value that does not fit is refused by the API server with a sentence; what cannot be changed later says so. Where no default stands and the field is not marked with `*`, it may be left out.
            """;

    @Test
    void thePageIsWhatTheCrdsSay() throws IOException {
        StringBuilder page = new StringBuilder(HEAD);
        for (var kind : CrdFiles.KINDS) {
            page.append(section(kind.getSimpleName()));
        }
        if ("write".equals(System.getProperty("larder.docs"))) {
            Files.writeString(PAGE, page);
        }
        assertEquals(page.toString(), Files.readString(PAGE), "stale: run this test with -Dlarder.docs=write");
    }

    private static String section(String kind) throws IOException {
        JsonNode crd = null;
        try (var files = Files.list(CRDS)) {
            for (Path file : files.toList()) {
                JsonNode candidate = YAML.readTree(file.toFile());
                if (candidate.at("/spec/names/kind").asText().equals(kind)) {
                    crd = candidate;
                }
            }
        }
        JsonNode properties = crd.at("/spec/versions/0/schema/openAPIV3Schema/properties");
        String scope = crd.at("/spec/scope").asText().equals("Namespaced") ? "in a namespace" : "of the cluster";
        StringBuilder section = new StringBuilder("\n## " + kind + "\n\nIt is " + scope + ".\n");
        for (String part : List.of("spec", "status")) {
            if (properties.has(part)) {
                section.append("\n| field of `" + part + "` | type | default | |\n|---|---|---|---|\n");
                section.append(String.join("", rows("", properties.path(part))));
            }
        }
        return section.toString();
    }

    private static List<String> rows(String prefix, JsonNode schema) {
        List<String> rows = new ArrayList<>();
        List<String> required = new ArrayList<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        schema.path("properties").properties().forEach(field -> {
            String path = prefix + field.getKey();
            JsonNode value = field.getValue();
            rows.add("| `%s`%s | %s | %s | %s |\n"
                    .formatted(
                            path,
                            required.contains(field.getKey()) ? " *" : "",
                            type(value),
                            standard(value),
                            value.path("description").asText()));
            if (!field.getKey().equals("conditions")) {
                rows.addAll(rows(path + ".", value));
                rows.addAll(rows(path + "[].", value.path("items")));
                rows.addAll(rows(path + ".NAME.", value.path("additionalProperties")));
            }
        });
        return rows;
    }

    private static String type(JsonNode value) {
        if (value.has("enum")) {
            List<String> values = new ArrayList<>();
            value.path("enum").forEach(one -> values.add("`" + one.asText() + "`"));
            return String.join(", ", values);
        }
        if (value.path("x-kubernetes-int-or-string").asBoolean()) {
            return "quantity";
        }
        return switch (value.path("type").asText()) {
            case "array" -> "list of " + type(value.path("items"));
            case "string" -> "text";
            case "integer" -> "number";
            case "boolean" -> "`true`, `false`";
            default -> value.path("type").asText();
        };
    }

    private static String standard(JsonNode value) {
        JsonNode standard = value.path("default");
        if (standard.isMissingNode()) {
            return "";
        }
        if (standard.isArray()) {
            List<String> all = new ArrayList<>();
            standard.forEach(one -> all.add(one.asText()));
            return all.stream().collect(Collectors.joining(", ", "`[", "]`"));
        }
        return standard.asText().isEmpty() ? "empty" : "`" + standard.asText() + "`";
    }

    /** Every field of a spec is described. */
    @Test
    void everyFieldIsDescribed() throws IOException {
        List<String> silent = new ArrayList<>();
        for (var kind : CrdFiles.KINDS) {
            section(kind.getSimpleName())
                    .lines()
                    .filter(line -> line.startsWith("| `") && line.endsWith("|  |"))
                    .filter(line -> !line.startsWith("| `conditions`") && !line.contains("phase`"))
                    .forEach(line -> silent.add(kind.getSimpleName() + " " + line));
        }
        assertTrue(silent.isEmpty(), silent::toString);
    }
}
