package dev.larder.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The chart's and the examples' files against the code that they speak of. Needs no program. */
final class ChartFilesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path EXAMPLES = ROOT.resolve("examples/kubernetes");
    private static final Path GENERATED = ROOT.resolve("crds/src/main/resources/crds");

    /** A counter's name gets _total, a timer's _seconds_count and more, as Prometheus' conventions have it. */
    private static final Pattern METRIC = Pattern.compile(
            "\\b(larder_[a-z_]+?)(_total|_seconds_sum|_seconds_count|_seconds_max|_seconds_bucket)?\\b[{\\[)]");

    static List<Path> examples() throws IOException {
        return below(EXAMPLES, ".yaml");
    }

    private static List<Path> below(Path directory, String ending) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(path -> path.toString().endsWith(ending)).sorted().toList();
        }
    }

    /** With -Dlarder.docs=write the chart's copies are written anew. */
    @Test
    void theChartBringsTheGeneratedKinds() throws IOException {
        List<Path> generated = below(GENERATED, ".yaml");
        Path copies = Chart.DIRECTORY.resolve("crds");
        if ("write".equals(System.getProperty("larder.docs"))) {
            for (Path one : generated) {
                Files.writeString(copies.resolve(one.getFileName().toString()), Files.readString(one));
            }
        }
        assertEquals(names(generated), names(below(copies, ".yaml")));
        for (Path one : generated) {
            String name = one.getFileName().toString();
            assertEquals(
                    Files.readString(one),
                    Files.readString(copies.resolve(name)),
                    name + " is older than the types; write it anew: CONTRIBUTING.md");
        }
    }

    private static List<String> names(List<Path> files) {
        return files.stream().map(file -> file.getFileName().toString()).toList();
    }

    @Test
    void alertsAndPanelsNameMetricsThatExist() throws IOException {
        Set<String> registered = new TreeSet<>();
        Pattern literal = Pattern.compile("\"(larder[._][a-z_.]+)\"");
        for (Path source : below(ROOT, ".java")) {
            if (source.toString().contains("/src/main/")) {
                Matcher matcher = literal.matcher(Files.readString(source));
                while (matcher.find()) {
                    registered.add(matcher.group(1).replace('.', '_'));
                }
            }
        }
        Set<String> used = new TreeSet<>();
        for (String file : List.of("monitoring/rules.yaml", "monitoring/dashboard.json")) {
            Matcher matcher = METRIC.matcher(Files.readString(Chart.DIRECTORY.resolve(file)));
            while (matcher.find()) {
                used.add(matcher.group(1));
            }
        }
        assertTrue(used.size() >= 6, used::toString);
        used.removeAll(registered);
        assertEquals(Set.of(), used, "no source registers these");
    }

    @Test
    void everyAlertHasARunbook() throws IOException {
        Set<String> headings = new TreeSet<>();
        for (String line : Files.readAllLines(ROOT.resolve("docs/troubleshooting.md"))) {
            if (line.startsWith("### ")) {
                headings.add(line.substring(4).toLowerCase(Locale.ROOT).replace(' ', '-'));
            }
        }
        int alerts = 0;
        for (String line : Files.readAllLines(Chart.DIRECTORY.resolve("monitoring/rules.yaml"))) {
            if (line.contains("runbook_url:")) {
                alerts++;
                assertTrue(
                        headings.contains(line.substring(line.indexOf('#') + 1).strip()), line);
            }
        }
        String rules = Files.readString(Chart.DIRECTORY.resolve("monitoring/rules.yaml"));
        assertEquals(rules.split("- alert:", -1).length - 1, alerts);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void examplesUseFieldsThatTheKindsHave(Path example) throws IOException {
        for (JsonNode object : Chart.documents(Files.readString(example))) {
            if (object.path("apiVersion").asText().equals("larder.dev/v1alpha1")) {
                String file = object.path("kind").asText().toLowerCase(Locale.ROOT) + "s.larder.dev.yaml";
                JsonNode kind = Chart.file("crds/" + file).at("/spec/versions/0/schema/openAPIV3Schema");
                known(
                        example + " spec",
                        object.path("spec"),
                        kind.path("properties").path("spec"));
            }
        }
    }

    private static void known(String path, JsonNode value, JsonNode schema) {
        for (var field : value.properties()) {
            JsonNode inner = schema.path("properties").path(field.getKey());
            assertFalse(inner.isMissingNode(), path + " has no field " + field.getKey());
            known(path + "." + field.getKey(), field.getValue(), inner);
        }
        schema.path("required").forEach(name -> assertTrue(value.has(name.asText()), path + " lacks " + name));
        if (schema.has("enum")) {
            assertTrue(Chart.texts(schema.path("enum")).contains(value.asText()), path + ": " + value);
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void examplesPassTheRestrictedStandard(Path example) throws IOException {
        for (JsonNode workload : Chart.workloads(Chart.documents(Files.readString(example)))) {
            JsonNode pod = Chart.pod(workload);
            String name = example + " " + Chart.name(workload);
            assertTrue(pod.path("securityContext").path("runAsNonRoot").asBoolean(), name);
            assertEquals(
                    "RuntimeDefault",
                    pod.at("/securityContext/seccompProfile/type").asText(),
                    name);
            for (String list : List.of("containers", "initContainers")) {
                for (JsonNode container : pod.path(list)) {
                    assertEquals(
                            "larder.local/larder:dev", container.path("image").asText(), name);
                    JsonNode context = container.path("securityContext");
                    assertFalse(context.path("allowPrivilegeEscalation").asBoolean(true), name);
                    assertEquals(
                            List.of("ALL"),
                            Chart.texts(context.path("capabilities").path("drop")),
                            name);
                }
            }
        }
    }

    @Test
    void everyValueIsInTheSchemaAndTheOtherWayRound() throws IOException {
        compare("", Chart.file("values.yaml"), Chart.file("values.schema.json").path("properties"));
    }

    private static void compare(String path, JsonNode values, JsonNode properties) {
        Set<String> declared = new TreeSet<>();
        properties.fieldNames().forEachRemaining(declared::add);
        declared.remove("global");
        Set<String> given = new TreeSet<>();
        values.fieldNames().forEachRemaining(given::add);
        assertEquals(declared, given, path);
        for (String name : given) {
            // An empty map is a map of the user's own keys, or of optional ones.
            JsonNode inner = properties.path(name).path("properties");
            if (inner.isObject() && !values.path(name).isEmpty()) {
                compare(path + "/" + name, values.path(name), inner);
            }
        }
    }
}
