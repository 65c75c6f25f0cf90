package dev.larder.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Makes the AOT caches of the entry points by running them from the staged root, with the very jars and run-time image
 * that are packed: a JVM takes a cache only with jars of the same names, times and sizes. A training that fails (no
 * /dev/fuse, not root) costs start-up time and nothing else, and is said.
 */
final class AotTraining {
    private static final long DEADLINE_SECONDS = 600;

    private final Path home;

    /** @param home the staged /opt/larder */
    AotTraining(Path home) {
        this.home = home;
    }

    void run() throws IOException, InterruptedException {
        for (String entry : EntryPoints.trainedBy("help", home)) {
            launch(entry, writing(entry), List.of(entry, "--help"));
            check(entry);
        }
        for (String entry : EntryPoints.trainedBy("serve", home)) {
            try (ServedEntry served = ServedEntry.start(home, entry, writing(entry), log(entry))) {
                for (String path : List.of("/healthz", "/readyz", "/metrics")) {
                    served.await(path);
                }
            }
            check(entry);
        }
        // A scratch volume is mounted and used, which needs root and /dev/fuse.
        for (String entry : EntryPoints.trainedBy("mount", home)) {
            launch(entry, Map.of(), List.of("larder", "train", cache(entry).toString()));
            for (String leftover : List.of(".lock", ".log")) {
                Files.deleteIfExists(cache(entry).resolveSibling(entry + ".aot" + leftover));
            }
            check(entry);
        }
    }

    private Path cache(String entry) {
        return home.resolve("aot").resolve(entry + ".aot");
    }

    private Path log(String entry) {
        return cache(entry).resolveSibling(entry + ".training");
    }

    private Map<String, String> writing(String entry) {
        return Map.of("LARDER_AOT_OUTPUT", cache(entry).toString());
    }

    private void launch(String entry, Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("bin/larder-entry").toString());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log(entry).toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }

    private void check(String entry) throws IOException {
        Path made = cache(entry);
        if (!Files.exists(made) || Files.size(made) == 0) {
            Files.deleteIfExists(made);
            System.out.println("image: no AOT cache for " + entry + ", which starts more slowly: "
                    + Files.readString(log(entry)).strip());
        }
        Files.delete(log(entry));
    }
}
