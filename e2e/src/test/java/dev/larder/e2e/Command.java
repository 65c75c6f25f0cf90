package dev.larder.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a program as a user does, with a deadline, and keeps what it printed. */
public final class Command {
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    private Command() {}

    public record Result(List<String> command, int exit, String out, String err) {
        /** The result, when the exit code is 0. */
        public Result ok() {
            if (exit != 0) {
                throw new AssertionError(this);
            }
            return this;
        }

        @Override
        public String toString() {
            return "exit " + exit + " of " + String.join(" ", command) + "\n--- out\n" + tail(out) + "\n--- err\n"
                    + tail(err);
        }

        private static String tail(String text) {
            int limit = 8_000;
            return text.length() <= limit ? text : "..." + text.substring(text.length() - limit);
        }
    }

    public static Result run(Path directory, String... command) {
        return run(directory, Map.of(), DEADLINE, command);
    }

    /** Runs a shell script with -e; for what a person would type. */
    public static Result sh(Path directory, String script) {
        return run(directory, Map.of("LC_ALL", "C"), DEADLINE, "bash", "-euo", "pipefail", "-c", script);
    }

    public static Result run(Path directory, Map<String, String> environment, Duration deadline, String... command) {
        try {
            Path out = Files.createTempFile("larder-e2e", ".out");
            Path err = Files.createTempFile("larder-e2e", ".err");
            try {
                return run(directory, environment, deadline, List.of(command), out, err);
            } finally {
                Files.delete(out);
                Files.delete(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    // To files, not pipes: a process that outlives the command (a mount's) would keep a pipe open.
    private static Result run(
            Path directory,
            Map<String, String> environment,
            Duration deadline,
            List<String> command,
            Path out,
            Path err)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        Result result = new Result(
                command,
                ended ? process.exitValue() : -1,
                Files.readString(out, StandardCharsets.ISO_8859_1),
                Files.readString(err, StandardCharsets.ISO_8859_1));
        if (!ended) {
            throw new AssertionError("not done after " + deadline + ": " + result);
        }
        return result;
    }
}
