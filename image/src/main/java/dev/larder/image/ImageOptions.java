package dev.larder.image;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the build is asked for: flags {@code --name=value}, all of them from the module's pom.xml.
 *
 * @param target directory of everything made here: {@code root}, {@code jre}, blobs
 * @param classPath jars of the product in the order of the class path, their names unique
 * @param scripts directory laid over {@code /opt/larder}; files below {@code bin} are executable
 * @param jdk the JDK that runs this, whose run-time image is linked; its processor is the image's
 * @param busybox program for /bin/sh and its applets
 * @param output the archive to write
 * @param name reference of the image, such as larder.local/larder:dev
 * @param epochSeconds time of modification of every file: an AOT cache is valid only for jars of the same time and size
 */
record ImageOptions(
        Path target,
        List<Path> classPath,
        Path scripts,
        Path jdk,
        Path busybox,
        Path output,
        String name,
        long epochSeconds,
        boolean train) {
    private static final Set<String> NAMES =
            Set.of("target", "class-path", "scripts", "busybox", "output", "name", "epoch", "train");

    /** @throws ImageException naming the flag and what it must be */
    static ImageOptions parse(List<String> arguments) {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = argument.startsWith("--") && equals > 0 ? argument.substring(2, equals) : "";
            if (!NAMES.contains(name)) {
                throw new ImageException("unknown argument " + argument + "; known are " + NAMES);
            }
            given.put(name, argument.substring(equals + 1));
        }
        if (!given.keySet().equals(NAMES)) {
            throw new ImageException("all of " + NAMES + " must be given, not only " + given.keySet());
        }
        ImageOptions options = new ImageOptions(
                Path.of(given.get("target")),
                Arrays.stream(given.get("class-path").split(":", -1))
                        .map(Path::of)
                        .toList(),
                Path.of(given.get("scripts")),
                Path.of(System.getProperty("java.home")),
                Path.of(given.get("busybox")),
                Path.of(given.get("output")),
                given.get("name"),
                java.time.Instant.parse(given.get("epoch")).getEpochSecond(),
                Boolean.parseBoolean(given.get("train")));
        options.check();
        return options;
    }

    private void check() {
        if (!Files.isExecutable(busybox)) {
            throw new ImageException(
                    busybox + " is not there; install busybox, or name another with -Dimage.busybox=FILE");
        }
        if (!name.matches("[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_.-]+")) {
            throw new ImageException(
                    "-Dimage.name=" + name + " is not a reference with a tag, such as larder/larder:1");
        }
    }
}
