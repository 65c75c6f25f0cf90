package dev.larder.volume.cache;

import dev.larder.volume.cache.NodeCache.Provenance;

/**
 * A part of a file that is on the disk: clean with its provenance, or dirty (provenance null) with the generation of
 * the snapshot that will name it and whether it was forced.
 */
record Piece(long start, long end, Provenance provenance, long generation) {
    static Piece clean(long start, long end, Provenance provenance) {
        return new Piece(start, end, provenance, 0);
    }

    static Piece dirty(long start, long end, long generation) {
        return new Piece(start, end, null, generation);
    }

    boolean isDirty() {
        return provenance == null;
    }

    boolean isHole() {
        return provenance != null && provenance.content().equals(Provenance.HOLE.content());
    }

    long length() {
        return end - start;
    }

    /** The part between from and to, which overlaps this. */
    Piece clip(long from, long to) {
        long clippedStart = Math.max(start, from);
        long clippedEnd = Math.min(end, to);
        if (clippedStart == start && clippedEnd == end) {
            return this;
        }
        return new Piece(
                clippedStart, clippedEnd, isDirty() ? null : provenance.plus(clippedStart - start), generation);
    }

    /** Whether the other continues this one, so that both are one piece. */
    boolean joins(Piece next) {
        if (end != next.start || isDirty() != next.isDirty()) {
            return false;
        }
        return isDirty()
                ? generation == next.generation
                : provenance.plus(length()).equals(next.provenance);
    }
}
