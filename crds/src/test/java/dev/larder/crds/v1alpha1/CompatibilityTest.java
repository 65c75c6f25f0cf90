package dev.larder.crds.v1alpha1;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Manifests that the last release took are taken still. {@code crds/released} holds its CRDs; a release replaces them by
 * those of {@code src/main/resources/crds}.
 */
class CompatibilityTest {
    private static final Path RELEASED = Path.of("released");
    private static final Path NOW = Path.of("src/main/resources/crds");
    private static final YAMLMapper YAML = new YAMLMapper();

    @Test
    void nothingThatWasReleasedIsBroken() throws IOException {
        List<String> problems = new ArrayList<>();
        int kinds = 0;
        try (Stream<Path> files = Files.list(RELEASED)) {
            for (Path file : files.sorted().toList()) {
                kinds++;
                JsonNode before = YAML.readTree(file.toFile());
                JsonNode now = YAML.readTree(NOW.resolve(file.getFileName()).toFile());
                problems.addAll(broken(before, now));
            }
        }
        assertTrue(kinds > 0, "no released CRDs");
        assertEquals(List.of(), problems);
    }

    @Test
    void everyWayToBreakOneIsSeen() throws IOException {
        String before = schema("""
                a: {type: string, enum: [x, y]}
                b: {type: object, required: [c], properties: {c: {type: string}, d: {type: string}}}
                l: {type: array, items: {type: string}}
                """);
        JsonNode crd = YAML.readTree(before);
        assertEquals(List.of(), broken(crd, crd));
        assertEquals(
                List.of("a: no longer takes [y]"),
                broken(crd, YAML.readTree(before.replace("enum: [x, y]", "enum: [x, z]"))));
        assertEquals(
                List.of("b: newly requires [d]"),
                broken(crd, YAML.readTree(before.replace("required: [c]", "required: [c, d]"))));
        assertEquals(
                List.of("b.d: was removed"), broken(crd, YAML.readTree(before.replace(", d: {type: string}", ""))));
        assertEquals(
                List.of("l[]: was string, is integer"),
                broken(crd, YAML.readTree(before.replace("items: {type: string}", "items: {type: integer}"))));
        assertEquals(
                List.of("v1: is no longer served"),
                broken(crd, YAML.readTree(before.replace("name: v1, served: true", "name: v1, served: false"))));
        assertEquals(
                List.of("spec.scope: was Cluster, is Namespaced"),
                broken(crd, YAML.readTree(before.replace("scope: Cluster", "scope: Namespaced"))));
    }

    private static String schema(String properties) {
        return "spec:\n  scope: Cluster\n  versions:\n  - {name: v1, served: true}\n  - name: v2\n    served: true\n"
                + "    schema:\n      openAPIV3Schema:\n        properties:\n"
                + properties.indent(10);
    }

    private static List<String> broken(JsonNode before, JsonNode now) {
        List<String> problems = new ArrayList<>();
        String scope = before.at("/spec/scope").asText();
        if (!scope.equals(now.at("/spec/scope").asText())) {
            problems.add(
                    "spec.scope: was " + scope + ", is " + now.at("/spec/scope").asText());
        }
        for (JsonNode version : before.at("/spec/versions")) {
            String name = version.path("name").asText();
            JsonNode same = null;
            for (JsonNode candidate : now.at("/spec/versions")) {
                if (candidate.path("name").asText().equals(name)
                        && candidate.path("served").asBoolean()) {
                    same = candidate;
                }
            }
            if (same == null) {
                problems.add(name + ": is no longer served");
            } else {
                compare("", version.at("/schema/openAPIV3Schema"), same.at("/schema/openAPIV3Schema"), problems);
            }
        }
        return problems;
    }

    private static void compare(String path, JsonNode before, JsonNode now, List<String> problems) {
        String type = before.path("type").asText();
        if (!type.equals(now.path("type").asText())) {
            problems.add(path + ": was " + type + ", is " + now.path("type").asText());
            return;
        }
        Set<String> values = texts(before.path("enum"));
        values.removeAll(texts(now.path("enum")));
        if (!now.path("enum").isMissingNode() && !values.isEmpty()) {
            problems.add(path + ": no longer takes " + values);
        }
        Set<String> required = texts(now.path("required"));
        required.removeAll(texts(before.path("required")));
        if (!required.isEmpty()) {
            problems.add(path + ": newly requires " + required);
        }
        before.path("properties").fieldNames().forEachRemaining(name -> {
            String below = path.isEmpty() ? name : path + "." + name;
            JsonNode field = now.path("properties").path(name);
            if (field.isMissingNode()) {
                problems.add(below + ": was removed");
            } else {
                compare(below, before.path("properties").path(name), field, problems);
            }
        });
        if (before.has("items")) {
            compare(path + "[]", before.path("items"), now.path("items"), problems);
        }
        if (before.path("additionalProperties").isObject()) {
            compare(path + ".*", before.path("additionalProperties"), now.path("additionalProperties"), problems);
        }
    }

    private static Set<String> texts(JsonNode array) {
        Set<String> texts = new HashSet<>();
        array.forEach(value -> texts.add(value.asText()));
        return texts;
    }
}
