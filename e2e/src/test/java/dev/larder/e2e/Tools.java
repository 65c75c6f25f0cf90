package dev.larder.e2e;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Programs that tests use. In continuous integration a missing one fails the test instead of skipping it. */
final class Tools {
    static final boolean CI = "true".equals(System.getenv("CI"));

    private Tools() {}

    /** The program's path, or null. */
    static String find(String program) {
        String cargo = System.getProperty("user.home") + "/.cargo/bin";
        return Stream.concat(Stream.of(System.getenv("PATH").split(":", -1)), Stream.of(cargo))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
    }
}
