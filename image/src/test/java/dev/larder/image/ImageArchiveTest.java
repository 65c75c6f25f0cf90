package dev.larder.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file is what the OCI image specification says: every name is the checksum of its bytes. */
final class ImageArchiveTest {
    private static final long EPOCH = 1_793_491_200L;

    @TempDir
    Path directory;

    private Map<String, byte[]> write() throws IOException {
        StagedRoot root = new StagedRoot(directory.resolve("root"));
        root.directory("/tmp", "rwxrwxrwx");
        root.text("/etc/passwd", "root:x:0:0\n");
        Path program = Files.writeString(directory.resolve("program"), "#!/bin/sh\n");
        root.file(program, "/bin/busybox", true);
        root.link("/bin/sh", "busybox");
        root.text("/opt/larder/jre/release", "25\n");
        root.text("/opt/larder/postgres/PG_VERSION", "18\n");
        root.text("/opt/larder/lib/other-1.jar", "other");
        root.text("/opt/larder/lib/larder-cli.jar", "ours");
        root.setTimes(EPOCH);
        ImageOptions options = new ImageOptions(
                directory,
                List.of(),
                directory,
                directory,
                program,
                directory.resolve("x.tar"),
                "a.local/x:1",
                EPOCH,
                false);
        new ImageArchive(root, options).write();
        Map<String, byte[]> files = new TreeMap<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(Files.newInputStream(options.output()))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                files.put(entry.getName(), tar.readAllBytes());
            }
        }
        return files;
    }

    private static JsonNode json(byte[] bytes) throws IOException {
        return new ObjectMapper().readTree(bytes);
    }

    private static byte[] blob(Map<String, byte[]> files, JsonNode descriptor) {
        byte[] bytes =
                files.get("blobs/sha256/" + descriptor.path("digest").asText().substring("sha256:".length()));
        assertEquals(descriptor.path("size").asLong(), bytes.length);
        return bytes;
    }

    private static List<TarArchiveEntry> entries(byte[] layer) throws IOException {
        List<TarArchiveEntry> entries = new ArrayList<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(layer))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                entries.add(entry);
            }
        }
        return entries;
    }

    @Test
    void namesAreChecksumsAndDocumentsAgree() throws Exception {
        Map<String, byte[]> files = write();
        assertEquals("{\"imageLayoutVersion\":\"1.0.0\"}", new String(files.get("oci-layout"), StandardCharsets.UTF_8));
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            if (file.getKey().startsWith("blobs/")) {
                byte[] sum = MessageDigest.getInstance("SHA-256").digest(file.getValue());
                assertEquals("blobs/sha256/" + HexFormat.of().formatHex(sum), file.getKey());
            }
        }
        JsonNode listed = json(files.get("index.json")).at("/manifests/0");
        assertEquals(
                "a.local/x:1",
                listed.at("/annotations/io.containerd.image.name").asText());
        JsonNode manifest = json(blob(files, listed));
        JsonNode config = json(blob(files, manifest.path("config")));
        JsonNode docker = json(files.get("manifest.json")).path(0);
        assertEquals("a.local/x:1", docker.at("/RepoTags/0").asText());
        assertEquals(5, manifest.path("layers").size());
        for (int i = 0; i < 5; i++) {
            String digest = manifest.path("layers").path(i).path("digest").asText();
            assertEquals(digest, config.at("/rootfs/diff_ids").path(i).asText());
            assertEquals(
                    "blobs/sha256/" + digest.substring(7),
                    docker.path("Layers").path(i).asText());
        }
        assertEquals("65532:65532", config.at("/config/User").asText());
    }

    @Test
    void filesComeInTheLayerOfTheirRateOfChangeWithModesAndLinks() throws Exception {
        Map<String, byte[]> files = write();
        JsonNode manifest = json(blob(files, json(files.get("index.json")).at("/manifests/0")));
        List<List<String>> names = new ArrayList<>();
        Map<String, TarArchiveEntry> all = new TreeMap<>();
        for (JsonNode layer : manifest.path("layers")) {
            List<String> own = new ArrayList<>();
            for (TarArchiveEntry entry : entries(blob(files, layer))) {
                assertEquals(0, entry.getLongUserId() + entry.getLongGroupId());
                assertEquals(EPOCH, entry.getLastModifiedTime().to(TimeUnit.SECONDS));
                all.put(entry.getName(), entry);
                if (!entry.isDirectory()) {
                    own.add(entry.getName());
                }
            }
            names.add(own);
        }
        assertEquals(
                List.of(
                        List.of("bin/busybox", "bin/sh", "etc/passwd"),
                        List.of("opt/larder/jre/release"),
                        List.of("opt/larder/postgres/PG_VERSION"),
                        List.of("opt/larder/lib/other-1.jar"),
                        List.of("opt/larder/lib/larder-cli.jar")),
                names);
        assertEquals("busybox", all.get("bin/sh").getLinkName());
        assertTrue(all.get("bin/sh").isSymbolicLink());
        assertEquals(0755, all.get("bin/busybox").getMode() & 07777);
        assertEquals(0644, all.get("etc/passwd").getMode() & 07777);
        assertEquals(01777, all.get("tmp/").getMode() & 07777);
    }

    @Test
    void theSameFilesMakeTheSameImage() throws Exception {
        Map<String, byte[]> first = write();
        Map<String, byte[]> second = write();
        assertEquals(first.keySet(), second.keySet());
        for (String name : first.keySet()) {
            assertArrayEquals(first.get(name), second.get(name), name);
        }
    }

    @Test
    void flagsAreChecked() {
        ImageException unknown = assertThrows(ImageException.class, () -> ImageOptions.parse(List.of("--colour=red")));
        assertTrue(unknown.getMessage().startsWith("unknown argument --colour=red; known are"));
        List<String> all = List.of(
                "--target=t",
                "--class-path=a.jar",
                "--scripts=s",
                "--busybox=/absent",
                "--output=o",
                "--name=x:1",
                "--epoch=2026-11-01T00:00:00Z",
                "--train=false");
        ImageException busybox = assertThrows(ImageException.class, () -> ImageOptions.parse(all));
        assertTrue(busybox.getMessage().contains("-Dimage.busybox=FILE"), busybox.getMessage());
    }
}
