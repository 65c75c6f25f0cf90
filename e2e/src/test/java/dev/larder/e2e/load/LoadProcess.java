package dev.larder.e2e.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@link LoadMain} on this machine, in a process of its own: what waits for a mount must not be the test. */
public final class LoadProcess implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final Path output;
    private final Path stop;

    private LoadProcess(Process process, Path output, Path stop) {
        this.process = process;
        this.output = output;
        this.stop = stop;
    }

    /** @param records where its output goes, outside of what is loaded */
    public static LoadProcess start(Path directory, Path records) throws IOException {
        Path output = records.resolve("load.out");
        Path stop = records.resolve("load.stop");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LoadMain.class.getName(),
                        directory.toString(),
                        stop.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new LoadProcess(process, output, stop);
    }

    /** The last line that it wrote; without a line yet, nothing. */
    public JsonNode now() throws IOException {
        List<String> lines = Files.readAllLines(output);
        for (String line : lines.reversed()) {
            if (line.startsWith("{") && line.endsWith("}")) {
                return JSON.readTree(line);
            }
        }
        return JSON.createObjectNode();
    }

    /** Waits until it has gone on by so many rounds of each kind of work. */
    public void awaitProgress(int more) throws IOException, InterruptedException {
        JsonNode before = now();
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (!progressed(before, now(), more)) {
            if (System.nanoTime() > end || !process.isAlive()) {
                throw new AssertionError("the load does not go on: " + before + "\n" + Files.readString(output));
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private static boolean progressed(JsonNode before, JsonNode after, int more) {
        if (!after.hasNonNull("rounds")) {
            return false;
        }
        return after.properties().stream()
                .filter(work -> work.getValue().isObject())
                .allMatch(work -> work.getValue().path("rounds").asLong()
                        >= before.path(work.getKey()).path("rounds").asLong() + more);
    }

    /** Ends it, and gives what it found. */
    public JsonNode finish() throws IOException, InterruptedException {
        Files.writeString(stop, "");
        if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the load does not end: " + Files.readString(output));
        }
        JsonNode last = now();
        if (!last.path("final").asBoolean()) {
            throw new AssertionError("the load died: " + Files.readString(output));
        }
        return last;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
