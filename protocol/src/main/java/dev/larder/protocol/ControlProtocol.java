package dev.larder.protocol;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/**
 * Requests and answers on the control socket, UTF-8, one JSON object per line. A connection carries one request after
 * another. The request names its {@link Command}; the answer is any number of {@code {"progress": Progress}} lines and
 * then one {@code {"result": ...}} (type by command) or {@code {"error": {"message", "hint"}}}. A request whose
 * connection closes is cancelled. Unknown members are ignored, so that versions N and N-1 understand each other.
 */
public final class ControlProtocol {
    public static final String COMMAND = "command";
    public static final String PROGRESS = "progress";
    public static final String RESULT = "result";
    public static final String ERROR = "error";

    /** No line is longer; a server cuts its lists to keep this. */
    public static final int MAX_LINE_BYTES = 16 << 20;

    private static final ObjectMapper JSON = mapper();

    private ControlProtocol() {}

    /** Arguments stand beside {@code command}; each has the type that is named here, and its default. */
    public enum Command {
        /** Result: {@link MountStatus}. Answered within a second, also while the stores are away. */
        STATUS("status"),
        /** {@code paths}: list of paths within the volume, "/" the root. Result: {@link Answers.Warmup}. */
        WARMUP("warmup"),
        /** Uploads and makes durable what was written so far. Result: {@link Answers.Flush}. */
        FLUSH("flush"),
        /** {@code dryRun}: false. {@code ageSeconds}: 3600. Result: {@link Answers.Gc}. */
        GC("gc"),
        /** {@code repair}: false; {@code content}: false, reads and checks every object. Result: {@link Answers.Fsck}. */
        FSCK("fsck"),
        /** Moves inline extents into segments now. Result: {@link Answers.Flush}. */
        PACK_NOW("packNow"),
        /** {@code limit}: 20 of the largest files. Result: {@link Answers.Cache}. */
        CACHE("cache"),
        /** Result: {@link Answers.Config}. */
        CONFIG("config"),
        /** {@code paths}: as of warmup. Result: {@link Answers.Du}. */
        DU("du"),
        /**
         * {@code prefix}: "/"; {@code after}: the "next" of the page before; {@code entries}: to look at, 1000, at most
         * 10,000. Result: {@link Answers.Trash}, a page with those below the prefix.
         */
        TRASH_LIST("trashList"),
        /** {@code inodes}: list of numbers. Result: {@link Answers.Restored}. */
        TRASH_RESTORE("trashRestore"),
        /** {@code olderThanSeconds}: 0. Result: {@link Answers.Purged}. */
        TRASH_PURGE("trashPurge"),
        /** Flushes, unmounts and ends agent and supervisor; the connection closes after the result: {@link Answers.Flush}. */
        SHUTDOWN("shutdown");

        private final String word;

        Command(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }

        /** @throws IllegalArgumentException for a word that this version does not know */
        public static Command of(String word) {
            for (Command command : values()) {
                if (command.word.equals(word)) {
                    return command;
                }
            }
            throw new IllegalArgumentException("unknown command '" + word + "'");
        }
    }

    /**
     * @param what in a word or two, such as "uploading"
     * @param total 0 = not known
     * @param unit "bytes", "files"
     */
    public record Progress(String what, long done, long total, String unit) {}

    /** @param hint what to do next, or null */
    public record Failure(String message, String hint) {}

    /** For requests, answers and {@link MountSpec}: paths, instants (ISO) and durations as text. */
    public static ObjectMapper json() {
        return JSON;
    }

    private static ObjectMapper mapper() {
        SimpleModule times = new SimpleModule("times")
                .addSerializer(Instant.class, ToStringSerializer.instance)
                .addSerializer(Duration.class, ToStringSerializer.instance)
                .addSerializer(Path.class, ToStringSerializer.instance)
                .addDeserializer(Instant.class, new TextDeserializer<>(Instant.class, Instant::parse))
                .addDeserializer(Duration.class, new TextDeserializer<>(Duration.class, Duration::parse))
                .addDeserializer(Path.class, new TextDeserializer<>(Path.class, Path::of));
        return JsonMapper.builder()
                .addModule(times)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .build();
    }
}
