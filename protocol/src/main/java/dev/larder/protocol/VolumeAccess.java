package dev.larder.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * What a node must know to mount a volume, without the secrets beside it: the member {@value #FILE} of the volume's
 * Secret, whose other members are named here too. Made by the operator, turned into a {@link MountSpec} by csi-node, which
 * writes the other members as files of the same names into the volume's record directory. Unknown members are ignored, so
 * that versions N and N-1 understand each other.
 *
 * @param version of this record, {@link #VERSION}
 * @param generation grows with each change of the Secret
 * @param volume for people: namespace/name
 * @param jdbcUrl without user and password; {@value #DIRECTORY} in it stands for the directory of the Secret's files
 * @param codec "none" or "zstd"
 * @param consistency "closeToOpen" or "bounded"
 * @param durability "onFsync" or "onClose"
 * @param patienceSeconds how long operations wait for a database or store that does not answer
 * @param cacheBytes most that the volume may have in a node's cache; 0 = the node's own limit
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record VolumeAccess(
        int version,
        long generation,
        String volume,
        UUID volumeId,
        String jdbcUrl,
        String user,
        Store objectStore,
        String codec,
        String consistency,
        String durability,
        long patienceSeconds,
        long cacheBytes) {
    public static final int VERSION = 1;

    /** Members of the Secret. */
    public static final String FILE = "volume.json";

    public static final String PASSWORD = "password";

    /** Lines accessKeyId=, secretAccessKey=, perhaps sessionToken=. */
    public static final String S3_CREDENTIALS = "s3-credentials";

    public static final String DATABASE_CA = "database-ca.pem";
    public static final String S3_CA = "s3-ca.pem";

    /** Those that a node writes as files; others are not for it. */
    public static final List<String> FILES = List.of(PASSWORD, S3_CREDENTIALS, DATABASE_CA, S3_CA);

    /** In {@link #jdbcUrl}. */
    public static final String DIRECTORY = "{directory}";

    /** Exactly one is not null. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Store(MountSpec.Directory directory, S3 s3, MountSpec.Postgres postgres) {}

    /**
     * @param endpoint null = AWS itself
     * @param prefix the volume's own, ends with '/'
     * @param proxy http://host:port or null
     * @param storageClass null = the bucket's default
     * @param checksum "crc32c" or "sha256"
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record S3(
            String endpoint,
            String bucket,
            String prefix,
            String region,
            boolean pathStyle,
            String proxy,
            List<String> noProxy,
            String storageClass,
            String checksum) {}

    /**
     * @param mountPoint where the volume is mounted on the node
     * @param directory the volume's record directory, with the Secret's files
     * @param files names of those that the Secret has
     * @param cache null = the agent knows
     * @param exclusive no other node may use the volume meanwhile
     */
    public MountSpec mountSpec(
            Path mountPoint, Path directory, List<String> files, MountSpec.Cache cache, boolean exclusive) {
        return new MountSpec(
                MountSpec.VERSION,
                volume,
                volumeId,
                mountPoint,
                directory,
                new MountSpec.Database(
                        jdbcUrl.replace(DIRECTORY, directory.toString()), user, directory.resolve(PASSWORD)),
                new MountSpec.Store(objectStore.directory, s3(objectStore.s3, directory, files), objectStore.postgres),
                cache,
                codec,
                consistency,
                durability,
                false,
                exclusive,
                patienceSeconds);
    }

    private static MountSpec.S3 s3(S3 s3, Path directory, List<String> files) {
        if (s3 == null) {
            return null;
        }
        return new MountSpec.S3(
                s3.endpoint,
                s3.bucket,
                s3.prefix,
                s3.region,
                s3.pathStyle,
                files.contains(S3_CREDENTIALS) ? directory.resolve(S3_CREDENTIALS) : null,
                s3.proxy,
                s3.noProxy,
                s3.storageClass,
                files.contains(S3_CA) ? directory.resolve(S3_CA) : null,
                s3.checksum);
    }
}
