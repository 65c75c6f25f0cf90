package dev.larder.volume.cache;

import dev.larder.volume.cache.CachedFile.Range;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** The pieces of one file in order, never overlapping, neighbours that continue each other merged. Not thread-safe. */
final class RangeMap {
    private final TreeMap<Long, Piece> pieces = new TreeMap<>();
    private long cleanBytes;
    private long dirtyBytes;
    private long storedBytes;

    boolean covers(long from, long to) {
        Map.Entry<Long, Piece> entry = pieces.floorEntry(from);
        long at = from;
        while (at < to && entry != null && entry.getValue().end() > at) {
            at = entry.getValue().end();
            entry = at < to ? pieces.floorEntry(at) : null;
        }
        return at >= to;
    }

    /** Ranges between from and to without a piece. */
    List<Range> absent(long from, long to) {
        List<Range> absent = new ArrayList<>();
        long at = from;
        for (Piece piece : overlapping(from, to)) {
            if (piece.start() > at) {
                absent.add(new Range(at, piece.start() - at));
            }
            at = piece.end();
        }
        if (at < to) {
            absent.add(new Range(at, to - at));
        }
        return absent;
    }

    /** The pieces between from and to, clipped to it. */
    List<Piece> overlapping(long from, long to) {
        List<Piece> found = new ArrayList<>();
        if (from >= to) {
            return found;
        }
        Map.Entry<Long, Piece> before = pieces.floorEntry(from);
        long first = before != null && before.getValue().end() > from ? before.getKey() : from;
        for (Piece piece : pieces.subMap(first, to).values()) {
            found.add(piece.clip(from, to));
        }
        return found;
    }

    Collection<Piece> all() {
        return pieces.values();
    }

    /** Whether a piece between from and to matches. */
    boolean any(long from, long to, Predicate<Piece> which) {
        Map.Entry<Long, Piece> entry = pieces.floorEntry(from);
        if (entry == null || entry.getValue().end() <= from) {
            entry = pieces.higherEntry(from);
        }
        while (entry != null && entry.getKey() < to) {
            if (which.test(entry.getValue())) {
                return true;
            }
            entry = pieces.higherEntry(entry.getKey());
        }
        return false;
    }

    /** Puts a piece in place of all that lies in its range. */
    void set(Piece piece) {
        if (piece.start() >= piece.end()) {
            return;
        }
        remove(piece.start(), piece.end(), _ -> true);
        Piece merged = piece;
        Map.Entry<Long, Piece> before = pieces.lowerEntry(piece.start());
        if (before != null && before.getValue().joins(merged)) {
            merged = new Piece(
                    before.getValue().start(), merged.end(), before.getValue().provenance(), merged.generation());
            take(before.getValue());
        }
        Piece after = pieces.get(merged.end());
        if (after != null && merged.joins(after)) {
            take(after);
            merged = new Piece(merged.start(), after.end(), merged.provenance(), merged.generation());
        }
        put(merged);
    }

    /** Removes the matching pieces' parts between from and to. */
    void remove(long from, long to, Predicate<Piece> which) {
        for (Piece clipped : overlapping(from, to)) {
            Piece whole = pieces.floorEntry(clipped.start()).getValue();
            if (!which.test(whole)) {
                continue;
            }
            take(whole);
            if (whole.start() < from) {
                put(whole.clip(whole.start(), from));
            }
            if (whole.end() > to) {
                put(whole.clip(to, whole.end()));
            }
        }
    }

    long storedBetween(long from, long to) {
        long stored = 0;
        for (Piece piece : overlapping(from, to)) {
            stored += piece.isHole() ? 0 : piece.length();
        }
        return stored;
    }

    boolean isEmpty() {
        return pieces.isEmpty();
    }

    int size() {
        return pieces.size();
    }

    long cleanBytes() {
        return cleanBytes;
    }

    long dirtyBytes() {
        return dirtyBytes;
    }

    /** Clean and dirty bytes that occupy blocks: all but holes. */
    long storedBytes() {
        return storedBytes;
    }

    private void put(Piece piece) {
        pieces.put(piece.start(), piece);
        count(piece, 1);
    }

    private void take(Piece piece) {
        pieces.remove(piece.start());
        count(piece, -1);
    }

    private void count(Piece piece, int sign) {
        long bytes = sign * piece.length();
        if (piece.isDirty()) {
            dirtyBytes += bytes;
        } else {
            cleanBytes += bytes;
        }
        storedBytes += piece.isHole() ? 0 : bytes;
    }
}
