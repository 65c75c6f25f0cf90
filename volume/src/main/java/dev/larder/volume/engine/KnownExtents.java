package dev.larder.volume.engine;

import dev.larder.volume.metadata.Extent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is known of an inode's extents. <i>Trusted</i>: the cache file has been compared with the metadata there, so what
 * is present is right. <i>Loaded</i>: the extents themselves are here as well, to fetch what is absent; a bounded
 * number. Guarded by the inode's lock, but for {@link #trustedPrefix}.
 */
final class KnownExtents {
    /** A frame table takes about 1.3 KB for 8 MiB. */
    private static final int LIMIT = 4096;

    private final TreeMap<Long, Extent> extents = new TreeMap<>();
    private final Ranges loaded = new Ranges();
    private final Ranges trusted = new Ranges();
    private volatile long trustedPrefix;

    /** Everything before it is trusted; read without the lock. */
    long trustedPrefix() {
        return trustedPrefix;
    }

    boolean trusts(long from, long to) {
        return trusted.contains(from, to);
    }

    void trust(long from, long to) {
        trusted.add(from, to);
        trustedPrefix = trusted.prefix();
    }

    boolean isLoaded(long from, long to) {
        return loaded.contains(from, to);
    }

    /** Extents that overlap [from, to) replace what is known there; inline bytes are not kept. */
    void load(long from, long to, List<Extent> truth) {
        if (extents.size() + truth.size() > LIMIT) {
            extents.clear();
            loaded.clear();
        }
        loaded.add(from, to);
        for (Extent extent : truth) {
            extents.put(extent.offset(), extent);
        }
    }

    /** The extents that overlap [from, to), in order; the range is loaded. */
    List<Extent> within(long from, long to) {
        List<Extent> found = new ArrayList<>();
        Map.Entry<Long, Extent> entry = extents.floorEntry(from);
        if (entry == null) {
            entry = extents.higherEntry(from);
        }
        while (entry != null && entry.getKey() < to) {
            if (entry.getValue().end() > from) {
                found.add(entry.getValue());
            }
            entry = extents.higherEntry(entry.getKey());
        }
        return found;
    }

    /** The places of extents in the range are not known any more, the bytes in the cache are still right. */
    void unload(long from, long to) {
        loaded.remove(from, to);
        for (Extent extent : within(from, to)) {
            extents.remove(extent.offset());
            loaded.remove(extent.offset(), extent.end());
        }
    }

    void forget(long from, long to) {
        unload(from, to);
        trusted.remove(from, to);
        trustedPrefix = trusted.prefix();
    }

    void forgetAll() {
        extents.clear();
        loaded.clear();
        trusted.clear();
        trustedPrefix = 0;
    }
}
