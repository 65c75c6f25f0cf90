package dev.larder.install;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Applies the kinds that the chart brings: Helm makes those of {@code crds/} at an install and never changes them. */
public final class CrdsMain {
    private static final String PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
    private static final Map<String, String> FLAGS = Map.of("directory", "DIR with NAME.yaml of each kind");
    private static final Duration ESTABLISHED = Duration.ofMinutes(1);
    private static final int MOST_FILES = 100;

    private CrdsMain() {}

    public static void main(String[] arguments) {
        Hook.main(api -> {
            Path directory =
                    Path.of(Flags.parse("crds", List.of(arguments), FLAGS).get("directory"));
            apply(api, directory);
        });
    }

    static void apply(ApiServer api, Path directory) {
        List<Path> files = files(directory);
        for (Path file : files) {
            try {
                api.apply(PATH + name(file), Files.readString(file));
            } catch (IOException e) {
                throw new InstallException("crds: cannot read " + file + ": " + e, e);
            }
            System.err.println("larder: crds: applied " + name(file));
        }
        files.forEach(file -> awaitEstablished(api, name(file)));
    }

    private static List<Path> files(Path directory) {
        try (Stream<Path> all = Files.list(directory)) {
            List<Path> files = all.filter(path -> path.toString().endsWith(".yaml"))
                    .sorted()
                    .limit(MOST_FILES)
                    .toList();
            if (files.isEmpty()) {
                throw new InstallException("crds: no *.yaml in " + directory);
            }
            return files;
        } catch (IOException e) {
            throw new InstallException("crds: cannot read " + directory + ": " + e, e);
        }
    }

    private static String name(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.length() - ".yaml".length());
    }

    private static void awaitEstablished(ApiServer api, String name) {
        long end = System.nanoTime() + ESTABLISHED.toNanos();
        while (!isEstablished(api.get(PATH + name))) {
            if (System.nanoTime() - end > 0) {
                throw new InstallException("crds: " + name + " is not established after " + ESTABLISHED
                        + ". Try: kubectl describe crd " + name);
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InstallException("interrupted", e);
            }
        }
    }

    private static boolean isEstablished(JsonNode definition) {
        for (JsonNode condition : definition.path("status").path("conditions")) {
            if (condition.path("type").asText().equals("Established")) {
                return condition.path("status").asText().equals("True");
            }
        }
        return false;
    }
}
