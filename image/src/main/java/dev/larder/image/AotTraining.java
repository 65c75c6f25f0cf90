package dev.larder.image;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
    private static final Duration ANSWER = Duration.ofSeconds(60);

    private final Path home;

    /** @param home the staged /opt/larder */
    AotTraining(Path home) {
        this.home = home;
    }

    void run() throws IOException, InterruptedException {
        for (String entry : EntryPoints.trainedBy("help", home)) {
            Process process = start(entry, true, List.of(entry, "--help"));
            end(entry, process);
        }
        for (String entry : EntryPoints.trainedBy("serve", home)) {
            serve(entry);
        }
        // A scratch volume is mounted and used, which needs root and /dev/fuse.
        for (String entry : EntryPoints.trainedBy("mount", home)) {
            end(
                    entry,
                    start(entry, false, List.of("larder", "train", cache(entry).toString())));
            for (String leftover : List.of(".lock", ".log")) {
                Files.deleteIfExists(cache(entry).resolveSibling(entry + ".aot" + leftover));
            }
        }
    }

    private Path cache(String entry) {
        return home.resolve("aot").resolve(entry + ".aot");
    }

    private Path log(String entry) {
        return cache(entry).resolveSibling(entry + ".training");
    }

    /** In directories of its own, until its health port answers. */
    private void serve(String entry) throws IOException, InterruptedException {
        Path scratch = Files.createTempDirectory("larder-training");
        int port;
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = any.getLocalPort();
        }
        try {
            Process process = start(
                    entry,
                    true,
                    List.of(
                            entry,
                            "--node-name=training",
                            "--run-dir=" + scratch.resolve("run"),
                            "--kubelet-dir=" + scratch.resolve("kubelet"),
                            "--health-port=" + port));
            for (String path : List.of("/healthz", "/readyz", "/metrics")) {
                ask(process, URI.create("http://127.0.0.1:" + port + path));
            }
            process.destroy();
            end(entry, process);
        } finally {
            StagedRoot.delete(scratch);
        }
    }

    /** Until there is an answer, whatever it is. */
    private static void ask(Process process, URI address) throws IOException, InterruptedException {
        long end = System.nanoTime() + ANSWER.toNanos();
        try (HttpClient client = HttpClient.newHttpClient()) {
            while (process.isAlive() && System.nanoTime() < end) {
                try {
                    HttpRequest request =
                            HttpRequest.newBuilder(address).timeout(ANSWER).build();
                    client.send(request, HttpResponse.BodyHandlers.discarding());
                    return;
                } catch (IOException e) {
                    // It does not listen yet.
                    Thread.sleep(100);
                }
            }
        }
    }

    private Process start(String entry, boolean writesCache, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("bin/larder-entry").toString());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log(entry).toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        if (writesCache) {
            builder.environment()
                    .putAll(Map.of("LARDER_AOT_OUTPUT", cache(entry).toString()));
        }
        return builder.start();
    }

    private void end(String entry, Process process) throws IOException, InterruptedException {
        if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        Path made = cache(entry);
        if (!Files.exists(made) || Files.size(made) == 0) {
            Files.deleteIfExists(made);
            System.out.println("image: no AOT cache for " + entry + ", which starts more slowly: "
                    + Files.readString(log(entry)).strip());
        }
        Files.delete(log(entry));
    }
}
