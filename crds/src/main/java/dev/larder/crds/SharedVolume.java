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
     * @param metadataStore null = the embedded PostgreSQL
     * @param objectStore null = a directory that Larder keeps
     * @param capacity null = no quota
     * @param inodes null = no quota
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Spec(
            @Described(value = "Name of a MetadataStore in the same file.", byDefault = "the embedded PostgreSQL")
            String metadataStore,

            @Described(
                    value = "Name of an ObjectStore in the same file.",
                    byDefault = "a directory below the state directory")
            String objectStore,

            @Described(value = "Quota of bytes, as `df` shows it.", byDefault = "none")
            Quantity capacity,

            @Described(value = "Quota of files and directories, as `df -i` shows it.", byDefault = "none")
            Long inodes,

            @Described(value = "How long a removed file can be brought back; \"0\" keeps nothing.", byDefault = "1d")
            Retention trash,

            @Described(
                    value =
                            "What an open sees of other mounts: everything closed before (`closeToOpen`), or a state that may be a fraction of a second old (`bounded`, for data that is mostly read).",
                    byDefault = "closeToOpen")
            Consistency consistency,

            @Described(
                    value = "When data is durable: at fsync (`onFsync`), or every close is an fsync too (`onClose`).",
                    byDefault = "onFsync")
            Durability durability,

            @Described(value = "Of what is written from now on.", byDefault = "none")
            Compression compression,

            @Described(value = "The cache on this machine.", byDefault = "all its defaults")
            Cache cache,

            @Described(value = "How it is mounted.", byDefault = "all their defaults")
            MountOptions mountOptions) {}

    /**
     * The cache on this machine.
     *
     * @param directory absolute, or null
     * @param capacity null = by the free space
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Cache(
            @Described(
                    value = "Where it lies; each mount gets a directory of its own below.",
                    byDefault = "below the state directory")
            Path directory,

            @Described(value = "Most bytes it may hold.", byDefault = "half of what is free, at most 64Gi")
            Quantity capacity) {}

    /** How a volume is mounted. */
    public record MountOptions(
            @Described(value = "The kernel refuses every change through the mount.", byDefault = "false")
            boolean readOnly,

            @Described(
                    value =
                            "How long operations wait for a database or store that does not answer before they fail; 5s to 1h. Reads of what is cached go on, and what was written stays here and is uploaded later.",
                    byDefault = "1m")
            Retention patience) {}

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
