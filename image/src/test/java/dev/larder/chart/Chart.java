package dev.larder.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The chart as {@code helm template} renders it; {@code helm} must be on the PATH. */
final class Chart {
    static final Path DIRECTORY = Path.of("../charts/larder");
    static final String NAMESPACE = "larder-system";

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final long DEADLINE_SECONDS = 60;

    /** What helm answered. */
    private record Answer(int exit, String output) {}

    private Chart() {}

    /** @param options such as "-f", "values-quickstart.yaml", "--set", "x=y"; files are the chart's */
    static List<JsonNode> render(String... options) throws IOException, InterruptedException {
        Answer answer = template(options);
        if (answer.exit() != 0) {
            throw new AssertionError(answer.output());
        }
        return documents(answer.output());
    }

    /** @return what helm says against the values */
    static String refusal(String... options) throws IOException, InterruptedException {
        Answer answer = template(options);
        if (answer.exit() == 0) {
            throw new AssertionError("helm takes " + List.of(options));
        }
        return answer.output();
    }

    private static Answer template(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("helm", "template", "larder", ".", "--namespace", NAMESPACE));
        command.addAll(Arrays.asList(options));
        Path output = Files.createTempFile("larder-chart", ".yaml");
        try {
            Process helm = new ProcessBuilder(command)
                    .directory(DIRECTORY.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!helm.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                helm.destroyForcibly();
                throw new AssertionError("helm template does not end");
            }
            return new Answer(helm.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.deleteIfExists(output);
        }
    }

    static List<JsonNode> documents(String yaml) throws IOException {
        try (MappingIterator<JsonNode> all = YAML.readerFor(JsonNode.class).readValues(yaml)) {
            return all.readAll().stream()
                    .filter(document -> document != null && document.has("kind"))
                    .toList();
        }
    }

    static JsonNode file(String name) throws IOException {
        return YAML.readTree(Files.readString(DIRECTORY.resolve(name)));
    }

    static Stream<JsonNode> ofKind(List<JsonNode> objects, String kind) {
        return objects.stream().filter(object -> object.path("kind").asText().equals(kind));
    }

    static JsonNode one(List<JsonNode> objects, String kind, String name) {
        return ofKind(objects, kind)
                .filter(object -> name(object).equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
    }

    static String name(JsonNode object) {
        return object.path("metadata").path("name").asText();
    }

    /** The pod of a workload, or the pod itself. */
    static JsonNode pod(JsonNode workload) {
        return workload.path("kind").asText().equals("Pod")
                ? workload.path("spec")
                : workload.path("spec").path("template").path("spec");
    }

    /** Everything that makes pods. */
    static List<JsonNode> workloads(List<JsonNode> objects) {
        return objects.stream().filter(object -> pod(object).has("containers")).toList();
    }

    static List<JsonNode> list(JsonNode array) {
        List<JsonNode> all = new ArrayList<>();
        array.forEach(all::add);
        return all;
    }

    static List<String> texts(JsonNode array) {
        return list(array).stream().map(JsonNode::asText).toList();
    }
}
