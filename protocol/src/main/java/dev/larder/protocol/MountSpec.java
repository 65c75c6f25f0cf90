package dev.larder.protocol;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * Everything an agent must know to serve one volume. Written as JSON, mode 0600, to {@code spec.json} in the mount's
 * record directory. Quotas and the trash's time are in the volume's database.
 *
 * @param version of this record, {@link #VERSION}
 * @param volumeId the volume's identity, also in its database
 * @param mountPoint absolute; null = serve only control requests, nothing is mounted
 * @param recordDirectory absolute, 0700: control socket, this record, logs
 * @param codec "none" or "zstd"
 * @param consistency "closeToOpen" or "bounded"
 * @param durability "onFsync" or "onClose"
 * @param exclusive no other node may have a session of the volume meanwhile; records of earlier versions lack it
 * @param patienceSeconds how long operations wait for a database or store that does not answer; 0 = the default
 */
public record MountSpec(
        int version,
        String volume,
        UUID volumeId,
        Path mountPoint,
        Path recordDirectory,
        Database database,
        Store objectStore,
        Cache cache,
        String codec,
        String consistency,
        String durability,
        boolean readOnly,
        boolean exclusive,
        long patienceSeconds) {
    public static final int VERSION = 1;

    private static final Duration DEFAULT_PATIENCE = Duration.ofMinutes(1);

    /** Names within the record directory. */
    public static final String FILE = "spec.json";

    public static final String CONTROL_SOCKET = "control.sock";
    public static final String SUPERVISOR_LOG = "supervisor.log";
    public static final String AGENT_LOG = "agent.log";
    public static final String SUPERVISOR_PID = "supervisor.pid";
    public static final String AGENT_PID = "agent.pid";

    /**
     * The volume's own database.
     *
     * @param jdbcUrl without user and password
     * @param passwordFile absolute, 0600, holds the password and nothing else
     */
    public record Database(String jdbcUrl, String user, Path passwordFile) {}

    /** Exactly one is not null. */
    public record Store(Directory directory, S3 s3, Postgres postgres) {}

    /** @param path absolute: the volume's own directory of objects */
    public record Directory(Path path) {}

    /**
     * @param endpoint null = AWS itself
     * @param prefix the volume's own, ends with '/'
     * @param credentialsFile absolute, 0600, lines accessKeyId=, secretAccessKey=, perhaps sessionToken=; null = the
     *     SDK's default chain
     * @param proxy http://host:port or null
     * @param storageClass null = the bucket's default
     * @param caBundle absolute, PEM; null = the JVM's
     * @param checksum "crc32c" or "sha256"
     */
    public record S3(
            String endpoint,
            String bucket,
            String prefix,
            String region,
            boolean pathStyle,
            Path credentialsFile,
            String proxy,
            List<String> noProxy,
            String storageClass,
            Path caBundle,
            String checksum) {}

    /** The bytes are rows of the volume's own database. */
    public record Postgres() {}

    /**
     * @param directory absolute, of this mount alone; null in a record for a node's agent, which has its own
     * @param capacityBytes 0 = as the agent is told
     */
    public record Cache(Path directory, long capacityBytes) {}

    /** How long operations wait for a database or store that does not answer. */
    public Duration patience() {
        return patienceSeconds > 0 ? Duration.ofSeconds(patienceSeconds) : DEFAULT_PATIENCE;
    }

    /** The same with another cache. */
    public MountSpec with(Cache other) {
        return new MountSpec(
                version,
                volume,
                volumeId,
                mountPoint,
                recordDirectory,
                database,
                objectStore,
                other,
                codec,
                consistency,
                durability,
                readOnly,
                exclusive,
                patienceSeconds);
    }

    public Path file() {
        return recordDirectory.resolve(FILE);
    }

    public Path controlSocket() {
        return recordDirectory.resolve(CONTROL_SOCKET);
    }

    public Path supervisorLog() {
        return recordDirectory.resolve(SUPERVISOR_LOG);
    }

    public Path agentLog() {
        return recordDirectory.resolve(AGENT_LOG);
    }

    /** Written by the supervisor and by each agent as they begin. */
    public ProcessFile supervisorProcess() {
        return new ProcessFile(recordDirectory.resolve(SUPERVISOR_PID));
    }

    public ProcessFile agentProcess() {
        return new ProcessFile(recordDirectory.resolve(AGENT_PID));
    }
}
