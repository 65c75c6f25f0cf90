package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.nio.file.Path;
import java.util.Map;

/**
 * One SharedVolume with the stores that it names, as read from a file.
 *
 * @param file the file it came from
 * @param secrets key and value by name of a Secret in the same file
 */
public record Manifest(
        @JsonIgnore Path file,
        SharedVolume volume,
        MetadataStore metadataStore,
        ObjectStore objectStore,
        @JsonIgnore Map<String, Map<String, String>> secrets) {
    public static final String API_VERSION = "larder.dev/v1alpha1";

    /** Reads and checks a file; see {@link ManifestReader}. */
    public static Manifest read(Path file) throws InvalidManifestException {
        return ManifestReader.read(file);
    }

    /** Never shows a secret. */
    @Override
    public String toString() {
        return file + " (" + volume.metadata().name() + ")";
    }
}
