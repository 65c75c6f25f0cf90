package dev.larder.agent;

import dev.larder.agent.fuse.FuseServer;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.metadata.ConnectionBudget;
import dev.larder.volume.objects.MemoryBudget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a node's agent is told at its start.
 *
 * @param name of the node
 * @param runDirectory shared with csi-node: the custody socket, the volumes' records
 * @param cacheDirectory on the node's own disk; each volume has a directory below
 * @param cacheCapacityBytes most that a volume may have there; the disk's free floor is kept in any case
 * @param connections most to databases, of all volumes together
 * @param connectionsPerVolume most of one volume to its database
 * @param transferMemoryBytes of objects on their way, of all volumes together
 * @param grace from SIGTERM to SIGKILL
 * @param healthPort of /healthz, /readyz and /metrics
 */
record NodeAgentOptions(
        String name,
        Path runDirectory,
        Path cacheDirectory,
        long cacheCapacityBytes,
        int connections,
        int connectionsPerVolume,
        long transferMemoryBytes,
        Duration grace,
        int healthPort) {
    /** Of the file system that the cache is on. */
    private static final double AUTOMATIC_SHARE = 0.8;

    private static final Duration IDLE_AFTER = Duration.ofSeconds(30);

    private static final String AUTOMATIC = "auto";

    private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,15})(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P|)");
    private static final Map<String, Long> UNITS = Map.ofEntries(
            Map.entry("", 1L),
            Map.entry("k", 1_000L),
            Map.entry("M", 1_000_000L),
            Map.entry("G", 1_000_000_000L),
            Map.entry("T", 1_000_000_000_000L),
            Map.entry("P", 1_000_000_000_000_000L),
            Map.entry("Ki", 1L << 10),
            Map.entry("Mi", 1L << 20),
            Map.entry("Gi", 1L << 30),
            Map.entry("Ti", 1L << 40),
            Map.entry("Pi", 1L << 50));

    /**
     * @param capacity a quantity such as 100Gi, or "auto": four fifths of the file system
     * @throws IllegalArgumentException what is wrong, and a right one
     */
    static long capacity(String capacity, Path cacheDirectory) {
        if (capacity.equals(AUTOMATIC)) {
            try {
                return (long) (Files.getFileStore(cacheDirectory).getTotalSpace() * AUTOMATIC_SHARE);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot see how large " + cacheDirectory + " is", e);
            }
        }
        return quantity("the cache's capacity", capacity);
    }

    /** @throws IllegalArgumentException what is wrong, and a right one */
    static long quantity(String what, String text) {
        Matcher matcher = QUANTITY.matcher(text);
        if (!matcher.matches() || Long.parseLong(matcher.group(1)) == 0) {
            throw new IllegalArgumentException(what + " '" + text + "' is no quantity such as 100Gi");
        }
        return Math.multiplyExact(Long.parseLong(matcher.group(1)), UNITS.get(matcher.group(2)));
    }

    AgentResources resources() {
        return new AgentResources(
                name,
                new ConnectionBudget(connections),
                connectionsPerVolume,
                new MemoryBudget(transferMemoryBytes),
                IDLE_AFTER,
                FuseServer.Options.DEFAULT);
    }

    /** @param wanted with a limit of the volume's own, or null */
    MountSpec.Cache cacheOf(UUID volume, MountSpec.Cache wanted) {
        long capacity = wanted == null || wanted.capacityBytes() == 0
                ? cacheCapacityBytes
                : Math.min(wanted.capacityBytes(), cacheCapacityBytes);
        return new MountSpec.Cache(cacheDirectory.resolve(volume.toString()), capacity);
    }
}
