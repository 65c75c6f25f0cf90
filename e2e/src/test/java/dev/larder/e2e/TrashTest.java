package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Removed files: listed page by page, brought back, given up, mounted or not. */
class TrashTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** More than two pages. */
    private static final int FILES = 2_300;

    @Test
    void moreThanAPageOfRemovedFiles() throws Exception {
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("removed");
            Path mount = larder.mount(manifest, "m");
            Path directory = Files.createDirectories(mount.resolve("a/b"));
            for (int i = 0; i < FILES; i++) {
                Files.writeString(directory.resolve("f" + i), "content " + i);
            }
            for (int i = 0; i < FILES; i++) {
                Files.delete(directory.resolve("f" + i));
            }

            JsonNode all = list(larder, "--limit", "5000", mount.toString());
            Set<String> paths = new HashSet<>();
            all.forEach(one -> paths.add(one.path("path").asText()));
            assertEquals(FILES, all.size());
            assertEquals(FILES, paths.size());
            assertEquals("/a/b/f" + (FILES - 1), all.get(0).path("path").asText(), "the last removed first");
            assertEquals(
                    2_100, list(larder, "--limit", "2100", mount.toString()).size());
            assertEquals(
                    11, list(larder, "--path", "/a/b/f77", mount.toString()).size());
            assertEquals(
                    0, list(larder, "--path", "/elsewhere", mount.toString()).size());
            List<String> table = larder.run("trash", "list", "--limit", "1500", mount.toString())
                    .ok()
                    .out()
                    .lines()
                    .toList();
            assertEquals(1_501, table.size());
            assertTrue(table.getFirst().contains("INODE"), table::getFirst);
            assertFalse(table.get(1_001).contains("INODE"), () -> table.get(1_001));

            JsonNode oldest = all.get(FILES - 1);
            larder.run(
                            "trash",
                            "restore",
                            mount.toString(),
                            oldest.path("inode").asText())
                    .ok();
            SurvivalTest.await(() -> Files.exists(directory.resolve("f0")), "the name is seen");
            assertEquals("content 0", Files.readString(directory.resolve("f0")));
            larder.run("fsck", "--content", mount.toString()).ok();
            assertEquals(
                    1,
                    JSON.readTree(larder.run("du", "-o", "json", directory.toString())
                                    .ok()
                                    .out())
                            .get(0)
                            .path("files")
                            .asInt());

            larder.umount(mount);
            assertEquals(
                    FILES - 1,
                    list(larder, "--limit", "5000", manifest.toString()).size());
            larder.run("trash", "purge", "--older-than", "0", manifest.toString())
                    .ok();
            assertEquals(0, list(larder, manifest.toString()).size());
            larder.run("fsck", "--content", manifest.toString()).ok();
        }
    }

    private static JsonNode list(Larder larder, String... arguments) throws IOException {
        String[] command = new String[arguments.length + 4];
        System.arraycopy(new String[] {"trash", "list", "-o", "json"}, 0, command, 0, 4);
        System.arraycopy(arguments, 0, command, 4, arguments.length);
        return JSON.readTree(larder.run(command).ok().out());
    }
}
