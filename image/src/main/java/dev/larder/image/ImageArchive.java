package dev.larder.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Writes the staged root as an OCI image layout in a tar (OCI image specification 1.1), with Docker's manifest.json
 * beside it, so that ctr, nerdctl, podman, docker and the tools that copy to registries read it. Layers are not
 * compressed: registries' tools do that, and an import from a file would only undo it.
 */
final class ImageArchive {
    /** What changes seldom first, so that a new version is a small pull. */
    private enum Layer {
        BASE,
        JAVA,
        POSTGRES,
        LIBRARIES,
        LARDER;

        static Layer of(String path) {
            if (!path.startsWith("/opt/larder/")) {
                return BASE;
            }
            String inHome = path.substring("/opt/larder/".length());
            if (inHome.startsWith("jre")) {
                return JAVA;
            }
            if (inHome.startsWith("postgres")) {
                return POSTGRES;
            }
            return inHome.startsWith("lib/") && !inHome.startsWith("lib/larder-") ? LIBRARIES : LARDER;
        }
    }

    /** Bytes of each layer, by its name in small letters; of the whole file. */
    record Sizes(Map<String, Long> layers, long file) {}

    /** A blob as a descriptor of the specification names it. */
    private record Blob(String mediaType, String digest, long size) {
        Map<String, Object> descriptor() {
            return new TreeMap<>(Map.of("mediaType", mediaType, "digest", "sha256:" + digest, "size", size));
        }
    }

    private final StagedRoot root;
    private final ImageOptions options;
    private final Path blobs;
    private final ObjectMapper json = new ObjectMapper();

    ImageArchive(StagedRoot root, ImageOptions options) {
        this.root = root;
        this.options = options;
        this.blobs = options.target().resolve("blobs");
    }

    Sizes write() throws IOException {
        StagedRoot.delete(blobs);
        Files.createDirectories(blobs);
        List<Blob> layers = new ArrayList<>();
        Map<String, Long> sizes = new TreeMap<>();
        for (Layer layer : Layer.values()) {
            Blob blob = layer(layer);
            layers.add(blob);
            sizes.put(layer.name().toLowerCase(java.util.Locale.ROOT), blob.size());
        }
        Blob config = blob("application/vnd.oci.image.config.v1+json", config(layers));
        Blob manifest = blob("application/vnd.oci.image.manifest.v1+json", manifest(config, layers));
        pack(manifest, config, layers);
        return new Sizes(sizes, Files.size(options.output()));
    }

    // ---- layers

    private Blob layer(Layer layer) throws IOException {
        Path file = blobs.resolve("layer");
        MessageDigest digest = sha256();
        try (OutputStream out = new DigestOutputStream(new BufferedOutputStream(Files.newOutputStream(file)), digest);
                TarArchiveOutputStream tar = tar(out)) {
            for (Path path : root.walk()) {
                String inImage = root.inImage(path);
                boolean directory = Files.isDirectory(path) && !Files.isSymbolicLink(path);
                // Directories come in the first layer alone but for those that only a later one fills.
                if (Layer.of(directory ? inImage + "/" : inImage) == layer) {
                    add(tar, path, inImage, directory);
                }
            }
        }
        String name = HexFormat.of().formatHex(digest.digest());
        Files.move(file, blobs.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        return new Blob("application/vnd.oci.image.layer.v1.tar", name, Files.size(blobs.resolve(name)));
    }

    private void add(TarArchiveOutputStream tar, Path path, String inImage, boolean directory) throws IOException {
        String name = inImage.substring(1);
        TarArchiveEntry entry;
        if (Files.isSymbolicLink(path)) {
            entry = new TarArchiveEntry(name, TarArchiveEntry.LF_SYMLINK);
            entry.setLinkName(Files.readSymbolicLink(path).toString());
            entry.setMode(0777);
        } else {
            entry = new TarArchiveEntry(directory ? name + "/" : name);
            int mode = (Integer) Files.getAttribute(path, "unix:mode") & 07777;
            entry.setMode(inImage.equals("/tmp") ? 01777 : mode & ~022);
            entry.setSize(directory ? 0 : Files.size(path));
        }
        entry.setIds(0, 0);
        entry.setModTime(options.epochSeconds() * 1000);
        tar.putArchiveEntry(entry);
        if (entry.isFile() && !entry.isSymbolicLink()) {
            Files.copy(path, tar);
        }
        tar.closeArchiveEntry();
    }

    private static TarArchiveOutputStream tar(OutputStream out) {
        TarArchiveOutputStream tar = new TarArchiveOutputStream(out);
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
        return tar;
    }

    // ---- documents

    private Map<String, Object> config(List<Blob> layers) {
        return new TreeMap<>(Map.of(
                "created",
                Instant.ofEpochSecond(options.epochSeconds()).toString(),
                "architecture",
                architecture(),
                "os",
                "linux",
                "config",
                new TreeMap<>(Map.of(
                        "User",
                        "65532:65532",
                        "Env",
                        List.of("PATH=/opt/larder/bin:/bin", "LANG=C.UTF-8"),
                        "Entrypoint",
                        List.of("/opt/larder/bin/larder-entry"),
                        "WorkingDir",
                        "/",
                        "Labels",
                        new TreeMap<>(Map.of(
                                "org.opencontainers.image.title",
                                "Larder",
                                "org.opencontainers.image.licenses",
                                "Apache-2.0")))),
                "rootfs",
                new TreeMap<>(Map.of(
                        "type",
                        "layers",
                        "diff_ids",
                        layers.stream().map(layer -> "sha256:" + layer.digest()).toList()))));
    }

    static String architecture() {
        return switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "amd64";
            case "aarch64" -> "arm64";
            default -> throw new ImageException("no image for the processor " + System.getProperty("os.arch"));
        };
    }

    private static Map<String, Object> manifest(Blob config, List<Blob> layers) {
        return new TreeMap<>(Map.of(
                "schemaVersion",
                2,
                "mediaType",
                "application/vnd.oci.image.manifest.v1+json",
                "config",
                config.descriptor(),
                "layers",
                layers.stream().map(Blob::descriptor).toList()));
    }

    private Map<String, Object> index(Blob manifest) {
        Map<String, Object> descriptor = manifest.descriptor();
        descriptor.put("platform", new TreeMap<>(Map.of("architecture", architecture(), "os", "linux")));
        descriptor.put(
                "annotations",
                new TreeMap<>(Map.of(
                        "io.containerd.image.name",
                        options.name(),
                        "org.opencontainers.image.ref.name",
                        options.name().substring(options.name().lastIndexOf(':') + 1))));
        return new TreeMap<>(Map.of(
                "schemaVersion",
                2,
                "mediaType",
                "application/vnd.oci.image.index.v1+json",
                "manifests",
                List.of(descriptor)));
    }

    private Blob blob(String mediaType, Map<String, Object> document) throws IOException {
        byte[] bytes = json.writeValueAsBytes(document);
        String name = HexFormat.of().formatHex(sha256().digest(bytes));
        Files.write(blobs.resolve(name), bytes);
        return new Blob(mediaType, name, bytes.length);
    }

    // ---- the file

    private void pack(Blob manifest, Blob config, List<Blob> layers) throws IOException {
        Path partial = options.output().resolveSibling(options.output().getFileName() + ".partial");
        try (TarArchiveOutputStream tar = tar(new BufferedOutputStream(Files.newOutputStream(partial)))) {
            put(tar, "oci-layout", json.writeValueAsBytes(Map.of("imageLayoutVersion", "1.0.0")));
            put(tar, "index.json", json.writeValueAsBytes(index(manifest)));
            put(
                    tar,
                    "manifest.json",
                    json.writeValueAsBytes(List.of(new TreeMap<>(Map.of(
                            "Config",
                            inArchive(config),
                            "RepoTags",
                            List.of(options.name()),
                            "Layers",
                            layers.stream().map(ImageArchive::inArchive).toList())))));
            List<Blob> all = new ArrayList<>(layers);
            all.add(config);
            all.add(manifest);
            for (Blob blob : all) {
                Path file = blobs.resolve(blob.digest());
                TarArchiveEntry entry = entry(inArchive(blob), blob.size());
                tar.putArchiveEntry(entry);
                // Gone as it is packed: the disk holds each layer once.
                Files.copy(file, tar);
                Files.delete(file);
                tar.closeArchiveEntry();
            }
        }
        Files.move(partial, options.output(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.delete(blobs);
    }

    private static String inArchive(Blob blob) {
        return "blobs/sha256/" + blob.digest();
    }

    private void put(TarArchiveOutputStream tar, String name, byte[] bytes) throws IOException {
        tar.putArchiveEntry(entry(name, bytes.length));
        tar.write(bytes);
        tar.closeArchiveEntry();
    }

    private TarArchiveEntry entry(String name, long size) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(size);
        entry.setModTime(options.epochSeconds() * 1000);
        return entry;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
