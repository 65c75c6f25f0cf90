package dev.larder.csi.cluster;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the agents of a node said at one moment. All sizes are bytes.
 *
 * @param reason of the condition Ready, one word
 * @param message of it, for people
 * @param capacityBytes of the node's cache; 0 = nobody could say
 * @param volumes by their uuids, those whose agent answered
 */
record CacheSnapshot(
        boolean ready,
        String reason,
        String message,
        long capacityBytes,
        long usedBytes,
        SortedMap<String, Share> volumes) {
    /** Less is not worth a write of its own. */
    private static final long LITTLE_BYTES = 1 << 20;

    private static final int LITTLE_FRACTION = 50;

    CacheSnapshot {
        volumes = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(volumes));
    }

    /**
     * One volume's.
     *
     * @param name namespace/name of the SharedVolume
     * @param hitBytes read from the cache since the agent began
     * @param missBytes fetched from the store since the agent began
     * @param dirtyBytes not in the store yet
     */
    record Share(String name, long cachedBytes, long hitBytes, long missBytes, long dirtyBytes) {
        private boolean isNear(Share other) {
            return near(cachedBytes, other.cachedBytes)
                    && near(hitBytes, other.hitBytes)
                    && near(missBytes, other.missBytes)
                    && near(dirtyBytes, other.dirtyBytes);
        }
    }

    /** Whether the difference is little enough to be told later. */
    boolean isNear(CacheSnapshot other) {
        return ready == other.ready
                && reason.equals(other.reason)
                && capacityBytes == other.capacityBytes
                && near(usedBytes, other.usedBytes)
                && volumes.keySet().equals(other.volumes.keySet())
                && volumes.entrySet().stream().allMatch(one -> isNear(one, other.volumes));
    }

    private static boolean isNear(Map.Entry<String, Share> one, Map<String, Share> others) {
        return one.getValue().isNear(others.get(one.getKey()));
    }

    /** That there is something, or nothing any more, is never little. */
    private static boolean near(long a, long b) {
        return (a == 0) == (b == 0) && Math.abs(a - b) <= Math.max(LITTLE_BYTES, Math.min(a, b) / LITTLE_FRACTION);
    }
}
