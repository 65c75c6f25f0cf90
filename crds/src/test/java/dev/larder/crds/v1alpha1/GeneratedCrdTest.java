package dev.larder.crds.v1alpha1;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The CRDs are what the types say. {@code -Dlarder.docs=write} writes them anew. */
class GeneratedCrdTest {
    private static final Path CRDS = Path.of("src/main/resources/crds");

    @TempDir
    private Path directory;

    @Test
    void theFilesAreWhatTheTypesSay() throws IOException {
        CrdFiles.write(directory);
        List<Path> made;
        try (Stream<Path> files = Files.list(directory)) {
            made = files.sorted().toList();
        }
        assertEquals(CrdFiles.KINDS.size(), made.size());
        for (Path file : made) {
            Path kept = CRDS.resolve(file.getFileName().toString().replace("-v1.yml", ".yaml"));
            String yaml = Files.readString(file);
            if ("write".equals(System.getProperty("larder.docs"))) {
                Files.createDirectories(CRDS);
                Files.writeString(kept, yaml);
            }
            assertEquals(yaml, Files.readString(kept), kept + " is stale: run this test with -Dlarder.docs=write");
        }
    }
}
