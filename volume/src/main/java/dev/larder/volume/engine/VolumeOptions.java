package dev.larder.volume.engine;

import dev.larder.volume.cache.CacheOptions;
import dev.larder.volume.metadata.MetadataOptions;
import dev.larder.volume.objects.MemoryBudget;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.SegmentOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Everything a mount of a volume needs to know; immutable.
 *
 * @param volume the volume's id; a database of another volume is refused
 * @param metadata how its database is reached; {@code continued} names the session of a dead process to take over
 * @param objects opens its object store; the mount closes it
 * @param cacheDirectory this mount's own, made when missing
 * @param transferMemory of off-heap buffers for objects on their way, at least 16 MiB; may be several volumes'
 */
public record VolumeOptions(
        UUID volume,
        MetadataOptions metadata,
        Supplier<ObjectStore> objects,
        Path cacheDirectory,
        CacheOptions cache,
        SegmentOptions segments,
        MemoryBudget transferMemory,
        Behaviour behaviour) {
    /** A budget that the default resident memory of an agent has room for. */
    public static final long DEFAULT_TRANSFER_MEMORY_BYTES = 96L << 20;

    /** What an open sees. */
    public enum Consistency {
        /** Everything that was closed anywhere before. */
        CLOSE_TO_OPEN,
        /** What was closed anywhere up to the feed interval before. */
        BOUNDED
    }

    /**
     * How the mount behaves.
     *
     * @param syncOnClose every close is an fsync
     * @param feedInterval how long a name made elsewhere may be unknown here
     * @param kernelTimeout of names and attributes in the kernel while the feed is alive
     * @param prefetchBytes files up to this size are fetched whole when they are opened; 0 = none are
     * @param idleAfter without use and without an open file the mount rests: it holds no connection and next to no memory,
     *     and the next use waits for a read of the feed; 0 = never
     * @param jobs this mount packs and collects in the background
     */
    public record Behaviour(
            Consistency consistency,
            boolean syncOnClose,
            boolean readOnly,
            Duration feedInterval,
            Duration kernelTimeout,
            long prefetchBytes,
            Duration idleAfter,
            boolean jobs) {
        public static final Behaviour DEFAULT = new Behaviour(
                Consistency.CLOSE_TO_OPEN,
                false,
                false,
                Duration.ofMillis(100),
                Duration.ofMinutes(5),
                0,
                Duration.ZERO,
                true);

        public Behaviour {
            if (feedInterval.toMillis() < 1
                    || kernelTimeout.isNegative()
                    || prefetchBytes < 0
                    || idleAfter.isNegative()) {
                throw new IllegalArgumentException("the feed interval must be 1 ms or more,"
                        + " kernel timeout, prefetch size and idle time not negative");
            }
        }
    }

    public static VolumeOptions of(
            UUID volume,
            MetadataOptions metadata,
            Supplier<ObjectStore> objects,
            Path cacheDirectory,
            long cacheCapacityBytes) {
        return new VolumeOptions(
                volume,
                metadata,
                objects,
                cacheDirectory,
                CacheOptions.ofCapacity(cacheCapacityBytes),
                SegmentOptions.DEFAULT,
                new MemoryBudget(DEFAULT_TRANSFER_MEMORY_BYTES),
                Behaviour.DEFAULT);
    }

    public VolumeOptions with(Behaviour other) {
        return new VolumeOptions(volume, metadata, objects, cacheDirectory, cache, segments, transferMemory, other);
    }

    public VolumeOptions with(SegmentOptions other) {
        return new VolumeOptions(volume, metadata, objects, cacheDirectory, cache, other, transferMemory, behaviour);
    }

    public VolumeOptions with(MemoryBudget other) {
        return new VolumeOptions(volume, metadata, objects, cacheDirectory, cache, segments, other, behaviour);
    }

    /** What {@code .larder/config} and a status may show: no secret is in it. */
    public String describe() {
        return "volume: " + volume + "\nmetadata: " + metadata.url() + "\nmetadataConnections: "
                + metadata.connections() + "\nleaseMillis: " + metadata.lease().toMillis() + "\nmount: "
                + metadata.mount() + "\ncacheDirectory: " + cacheDirectory + "\ncacheCapacityBytes: "
                + cache.capacityBytes() + "\ncachePolicy: " + cache.policy() + "\ncodec: " + segments.codec()
                + "\ntransferMemoryBytes: " + transferMemory.totalBytes() + "\nconsistency: " + behaviour.consistency
                + "\nsyncOnClose: " + behaviour.syncOnClose + "\nreadOnly: " + behaviour.readOnly
                + "\nfeedIntervalMillis: " + behaviour.feedInterval.toMillis() + "\nkernelTimeoutMillis: "
                + behaviour.kernelTimeout.toMillis() + "\nprefetchBytes: " + behaviour.prefetchBytes
                + "\n";
    }
}
