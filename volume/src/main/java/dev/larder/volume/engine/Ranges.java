package dev.larder.volume.engine;

import dev.larder.volume.cache.CachedFile.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of bytes of a file, as sorted ranges that neither overlap nor touch. Not thread-safe. */
final class Ranges {
    private final TreeMap<Long, Long> ends = new TreeMap<>();

    static Ranges of(List<Range> ranges) {
        Ranges set = new Ranges();
        ranges.forEach(range -> set.add(range.offset(), range.end()));
        return set;
    }

    void add(long from, long to) {
        if (from >= to) {
            return;
        }
        long start = from;
        long end = to;
        Map.Entry<Long, Long> before = ends.floorEntry(to);
        while (before != null && before.getValue() >= start) {
            start = Math.min(start, before.getKey());
            end = Math.max(end, before.getValue());
            ends.remove(before.getKey());
            before = ends.floorEntry(to);
        }
        ends.put(start, end);
    }

    void remove(long from, long to) {
        if (from >= to) {
            return;
        }
        Map.Entry<Long, Long> before = ends.lowerEntry(from);
        if (before != null && before.getValue() > from) {
            ends.put(before.getKey(), from);
            if (before.getValue() > to) {
                ends.put(to, before.getValue());
            }
        }
        Map.Entry<Long, Long> inside = ends.ceilingEntry(from);
        while (inside != null && inside.getKey() < to) {
            ends.remove(inside.getKey());
            if (inside.getValue() > to) {
                ends.put(to, inside.getValue());
            }
            inside = ends.higherEntry(inside.getKey());
        }
    }

    boolean contains(long from, long to) {
        Map.Entry<Long, Long> before = ends.floorEntry(from);
        return from >= to || (before != null && before.getValue() >= to);
    }

    /** The end of the range that begins at 0. */
    long prefix() {
        Long end = ends.get(0L);
        return end == null ? 0 : end;
    }

    /** The parts of [from, to) that are in the set. */
    List<Range> within(long from, long to) {
        List<Range> parts = new ArrayList<>();
        Long first = ends.floorKey(from);
        for (Map.Entry<Long, Long> entry :
                ends.tailMap(first == null ? from : first, true).entrySet()) {
            if (entry.getKey() >= to) {
                break;
            }
            long start = Math.max(from, entry.getKey());
            long end = Math.min(to, entry.getValue());
            if (start < end) {
                parts.add(new Range(start, end - start));
            }
        }
        return parts;
    }

    /** The parts of [from, to) that are not in the set. */
    List<Range> missing(long from, long to) {
        List<Range> parts = new ArrayList<>();
        long at = from;
        for (Range range : within(from, to)) {
            if (range.offset() > at) {
                parts.add(new Range(at, range.offset() - at));
            }
            at = range.end();
        }
        if (at < to) {
            parts.add(new Range(at, to - at));
        }
        return parts;
    }

    List<Range> all() {
        return within(0, Long.MAX_VALUE);
    }

    void clear() {
        ends.clear();
    }

    boolean isEmpty() {
        return ends.isEmpty();
    }

    int count() {
        return ends.size();
    }

    long bytes() {
        return ends.entrySet().stream()
                .mapToLong(entry -> entry.getValue() - entry.getKey())
                .sum();
    }
}
