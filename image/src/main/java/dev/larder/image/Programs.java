package dev.larder.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the programs that the build needs, each with a deadline. */
final class Programs {
    private static final Duration DEADLINE = Duration.ofMinutes(10);

    private Programs() {}

    /**
     * @return what it printed on both streams
     * @throws ImageException when it fails, with the end of what it printed
     */
    static String run(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("larder-image", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new ImageException(command.getFirst() + " did not end within " + DEADLINE);
            }
            String printed = Files.readString(output, StandardCharsets.UTF_8);
            if (process.exitValue() != 0) {
                throw new ImageException(String.join(" ", command) + " failed: "
                        + printed.substring(Math.max(0, printed.length() - 2000)));
            }
            return printed;
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
