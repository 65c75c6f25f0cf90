package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.file.Path;

/** A shared POSIX volume: which stores hold it, its limits and its promises. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SharedVolume(String apiVersion, String kind, ObjectMeta metadata, Spec spec) {
    public static final String KIND = "SharedVolume";

    public SharedVolume(ObjectMeta metadata, Spec spec) {
        this(Manifest.API_VERSION, KIND, metadata, spec);
    }

    /**
     * What the volume is to be.
     *
     * @param metadataStore name of a MetadataStore; null = the embedded PostgreSQL
     * @param objectStore name of an ObjectStore; null = a directory that Larder keeps
     * @param capacity quota of bytes; null = none
     * @param inodes quota of files and directories; null = none
     * @param trash how long removed files can be brought back
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Spec(
            String metadataStore,
            String objectStore,
            Quantity capacity,
            Long inodes,
            Retention trash,
            Consistency consistency,
            Durability durability,
            Compression compression,
            Cache cache,
            MountOptions mountOptions) {}

    /**
     * The cache on this machine.
     *
     * @param directory absolute; null = below the state directory
     * @param capacity most bytes that it may hold; null = by the free space
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Cache(Path directory, Quantity capacity) {}

    /** @param readOnly the kernel refuses every change through the mount */
    public record MountOptions(boolean readOnly) {}

    /** What an open sees of other nodes' changes. */
    public enum Consistency {
        /** Everything that was closed before. */
        CLOSE_TO_OPEN("closeToOpen"),
        /** Nothing staler than the feed's interval: for data that is mostly read. */
        BOUNDED("bounded");

        private final String text;

        Consistency(String text) {
            this.text = text;
        }

        @JsonValue
        public String text() {
            return text;
        }
    }

    /** When changes are durable. */
    public enum Durability {
        ON_FSYNC("onFsync"),
        /** Every close is an fsync. */
        ON_CLOSE("onClose");

        private final String text;

        Durability(String text) {
            this.text = text;
        }

        @JsonValue
        public String text() {
            return text;
        }
    }

    /** How stored bytes are compressed. */
    public enum Compression {
        NONE("none"),
        ZSTD("zstd");

        private final String text;

        Compression(String text) {
            this.text = text;
        }

        @JsonValue
        public String text() {
            return text;
        }
    }
}
