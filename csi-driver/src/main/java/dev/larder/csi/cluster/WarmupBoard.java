package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * CacheWarmups that this node has not finished, by their uids. They stay until they are finished or deleted: one that was
 * there before its volume is mounted here begins when it is. Any thread may call.
 */
final class WarmupBoard {
    private static final Logger LOG = LoggerFactory.getLogger(WarmupBoard.class);

    /** Others are looked at after the next list, when some of these have gone. */
    private static final int MOST = 10_000;

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(2);
    private static final int MOST_DOUBLINGS = 5;

    private static final class Entry {
        private Warmup warmup;
        private int failures;
        private long notBefore;

        Entry(Warmup warmup, long now) {
            this.warmup = warmup;
            this.notBefore = now;
        }
    }

    private final String node;
    private final LongSupplier nanoClock;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    WarmupBoard(String node, LongSupplier nanoClock) {
        this.node = node;
        this.nanoClock = nanoClock;
    }

    /** As the object is now. */
    synchronized void put(JsonNode object) {
        Warmup warmup = Warmup.of(object, node);
        if (Warmup.isFinished(object, node)) {
            entries.remove(warmup.uid());
            return;
        }
        Entry known = entries.get(warmup.uid());
        if (known != null) {
            known.warmup = warmup;
        } else if (entries.size() < MOST) {
            entries.put(warmup.uid(), new Entry(warmup, nanoClock.getAsLong()));
        } else {
            LOG.warn("warmup={} waits: {} unfinished CacheWarmups are looked at at once", warmup, MOST);
        }
    }

    synchronized void remove(String uid) {
        entries.remove(uid);
    }

    /** Forgets those that are not there any more. @param uids of all that are */
    synchronized void keep(Set<String> uids) {
        Set<String> gone = new HashSet<>(entries.keySet());
        gone.removeAll(uids);
        entries.keySet().removeAll(gone);
    }

    synchronized boolean has(String uid) {
        return entries.containsKey(uid);
    }

    synchronized int size() {
        return entries.size();
    }

    /** Those whose time has come, the oldest first. */
    synchronized List<Warmup> due() {
        long now = nanoClock.getAsLong();
        return entries.values().stream()
                .filter(entry -> now - entry.notBefore >= 0)
                .map(entry -> entry.warmup)
                .toList();
    }

    /** How often it was cut short. */
    synchronized int failures(String uid) {
        Entry entry = entries.get(uid);
        return entry == null ? 0 : entry.failures;
    }

    /** It did not come to an end: later again. */
    synchronized void postpone(String uid) {
        Entry entry = entries.get(uid);
        if (entry != null) {
            entry.failures++;
            long pause = FIRST_PAUSE.toNanos() << Math.min(entry.failures - 1, MOST_DOUBLINGS);
            entry.notBefore = nanoClock.getAsLong() + pause;
        }
    }
}
