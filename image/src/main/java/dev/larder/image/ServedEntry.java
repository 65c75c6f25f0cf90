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

/** A component of the node, started from the staged root in directories of its own, without a cluster. */
final class ServedEntry implements AutoCloseable {
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final long END_SECONDS = 600;

    private final Path scratch;
    private final URI address;
    private final long startedNanos = System.nanoTime();
    private final Process process;

    private ServedEntry(Path scratch, URI address, Process process) {
        this.scratch = scratch;
        this.address = address;
        this.process = process;
    }

    /**
     * @param home the staged /opt/larder
     * @param entry csi-node or node-agent
     * @param log for what it prints
     */
    static ServedEntry start(Path home, String entry, Map<String, String> environment, Path log) throws IOException {
        Path scratch = Files.createTempDirectory("larder-served");
        int port;
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = any.getLocalPort();
        }
        List<String> command = new ArrayList<>(List.of(
                home.resolve("bin/larder-entry").toString(),
                entry,
                "--node-name=image",
                "--run-dir=" + scratch.resolve("run"),
                "--health-port=" + port));
        command.add(
                entry.equals("csi-node")
                        ? "--kubelet-dir=" + scratch.resolve("kubelet")
                        : "--cache-dir=" + scratch.resolve("cache"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().putAll(environment);
        return new ServedEntry(scratch, URI.create("http://127.0.0.1:" + port), builder.start());
    }

    /**
     * Asks the health port, again until there is an answer, whatever it is.
     *
     * @return seconds since the start; NaN when it ended or never answered
     */
    double await(String path) throws InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(address.resolve(path)).timeout(ANSWER).build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            while (process.isAlive() && System.nanoTime() - startedNanos < ANSWER.toNanos()) {
                try {
                    client.send(request, HttpResponse.BodyHandlers.discarding());
                    return (System.nanoTime() - startedNanos) / 1e9;
                } catch (IOException e) {
                    // It does not listen yet.
                    Thread.sleep(5);
                }
            }
        }
        return Double.NaN;
    }

    /** Ends it at once. Asked to, an agent would wait for another to take its volumes. */
    void kill() {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
    }

    /** Asks it to end, and waits: a cache is written at the end. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        StagedRoot.delete(scratch);
    }
}
