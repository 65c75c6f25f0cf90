package dev.larder.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** The entry points as the image's table {@code etc/entry-points} lists them: name, main class, run, train, options. */
final class EntryPoints {
    private EntryPoints() {}

    /** @return names of those that train so and whose main class is in one of the product's jars */
    static List<String> trainedBy(String train, Path home) throws IOException {
        List<String> names = new ArrayList<>();
        for (String line : Files.readAllLines(home.resolve("etc/entry-points"))) {
            String[] words = line.strip().split("\\s+", 5);
            if (!line.startsWith("#") && words[3].equals(train) && contains(home.resolve("lib"), words[1])) {
                names.add(words[0]);
            }
        }
        return names;
    }

    private static boolean contains(Path library, String mainClass) throws IOException {
        String entry = mainClass.replace('.', '/') + ".class";
        try (Stream<Path> jars = Files.list(library)) {
            for (Path jar : jars.filter(path -> path.getFileName().toString().startsWith("larder-"))
                    .toList()) {
                try (JarFile open = new JarFile(jar.toFile())) {
                    if (open.getEntry(entry) != null) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
