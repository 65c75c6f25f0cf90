package dev.larder.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** The entry points as the image's table {@code etc/entry-points} lists them: name, main class, options of the JVM. */
final class EntryPoints {
    private EntryPoints() {}

    /** @return main class by name, of those whose class is in one of the jars */
    static Map<String, String> present(Path home) {
        try {
            List<String> lines = Files.readAllLines(home.resolve("etc/entry-points"));
            Map<String, String> present = new TreeMap<>();
            for (String line : lines) {
                String[] words = line.strip().split("\\s+", 4);
                if (!line.startsWith("#") && words.length >= 3 && contains(home, words[1])) {
                    present.put(words[0], words[1]);
                }
            }
            return present;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Those whose class loading is much the same in a run that only prints its help. */
    static List<String> trainedByHelp(Path home) {
        List<String> names = new ArrayList<>(present(home).keySet());
        names.remove("node-agent");
        names.remove("postgres");
        return names;
    }

    private static boolean contains(Path home, String mainClass) throws IOException {
        String entry = mainClass.replace('.', '/') + ".class";
        try (Stream<Path> jars = Files.list(home.resolve("lib"))) {
            for (Path jar : (Iterable<Path>)
                    jars.filter(path -> path.getFileName().toString().startsWith("larder-"))::iterator) {
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
