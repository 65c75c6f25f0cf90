package dev.larder.volume.cache;

import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.cache.NodeCache.Present;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.util.ArrayList;
import java.util.List;

/** Compares what a file has with what its content is now. */
final class Reconciliation {
    private Reconciliation() {}

    /** The parts of the clean pieces that the truth does not have, both in order. */
    static List<Range> wrong(List<Piece> pieces, List<Present> truth) {
        List<Range> wrong = new ArrayList<>();
        int next = 0;
        for (Piece piece : pieces) {
            while (next < truth.size() && truth.get(next).end() <= piece.start()) {
                next++;
            }
            if (!piece.isDirty()) {
                compare(piece, truth, next, wrong);
            }
        }
        return wrong;
    }

    private static void compare(Piece piece, List<Present> truth, int first, List<Range> wrong) {
        long at = piece.start();
        for (int i = first; i < truth.size() && truth.get(i).offset() < piece.end(); i++) {
            Present now = truth.get(i);
            if (now.offset() > at) {
                check(piece.clip(at, now.offset()), Provenance.HOLE, wrong);
                at = now.offset();
            }
            long end = Math.min(now.end(), piece.end());
            check(piece.clip(at, end), now.provenance().plus(at - now.offset()), wrong);
            at = end;
        }
        if (at < piece.end()) {
            check(piece.clip(at, piece.end()), Provenance.HOLE, wrong);
        }
    }

    private static void check(Piece part, Provenance now, List<Range> wrong) {
        boolean same = part.isHole()
                ? now.content().equals(Provenance.HOLE.content())
                : part.provenance().equals(now);
        if (!same) {
            wrong.add(new Range(part.start(), part.length()));
        }
    }
}
