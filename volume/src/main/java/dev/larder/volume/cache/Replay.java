package dev.larder.volume.cache;

import dev.larder.volume.cache.MappedJournal.JournalRecord;
import dev.larder.volume.cache.NodeCache.Provenance;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongFunction;

/** What the index and the journal together say: the journal's records applied in order to the index's entries. */
final class Replay {
    static final long FORCED_GENERATION = 0;
    static final long UNFORCED_GENERATION = 1;

    private final Map<Long, State> states = new HashMap<>();
    private final Map<Long, Long> forcedUpTo = new HashMap<>();
    private final LongFunction<IndexEntry> index;
    private final boolean keepClean;

    private Replay(LongFunction<IndexEntry> index, boolean keepClean) {
        this.index = index;
        this.keepClean = keepClean;
    }

    /** The same boot: the page cache has everything. */
    static Map<Long, State> full(List<JournalRecord> records, LongFunction<IndexEntry> index) {
        return new Replay(index, true).run(records);
    }

    static Map<Long, State> dirtyOnly(List<JournalRecord> records) {
        return new Replay(_ -> IndexEntry.EMPTY, false).run(records);
    }

    /** After a power loss: only what was written and then forced. */
    static Map<Long, State> forcedOnly(List<JournalRecord> records) {
        Map<Long, State> states = dirtyOnly(records);
        states.values().forEach(s -> s.ranges.remove(0, Long.MAX_VALUE, p -> p.generation() != FORCED_GENERATION));
        return states;
    }

    private Map<Long, State> run(List<JournalRecord> records) {
        for (JournalRecord record : records) {
            if (record.kind() == DirtyJournal.FORCED) {
                forcedUpTo.merge(record.value(0), record.value(1), Math::max);
            }
        }
        for (JournalRecord record : records) {
            states.computeIfAbsent(record.value(0), this::load).apply(record, forced(record), keepClean);
        }
        return states;
    }

    private boolean forced(JournalRecord record) {
        return record.value(3) == 1 || record.sequence() <= forcedUpTo.getOrDefault(record.value(0), -1L);
    }

    private State load(long inode) {
        IndexEntry entry = index.apply(inode);
        State state = new State(entry.sequence());
        entry.clean().forEach(state.ranges::set);
        return state;
    }

    /** One inode's state as of the last record. */
    static final class State {
        private final RangeMap ranges = new RangeMap();
        private long indexSequence;
        private long length = -1;
        private boolean removed;

        private State(long indexSequence) {
            this.indexSequence = indexSequence;
        }

        RangeMap ranges() {
            return ranges;
        }

        /** The file may not be longer, or -1 when nothing cut it. */
        long length() {
            return length;
        }

        boolean removed() {
            return removed;
        }

        private void apply(JournalRecord record, boolean forced, boolean keepClean) {
            long from = record.value(1);
            long to = from + record.value(2);
            boolean indexKnows = record.sequence() <= indexSequence;
            switch (record.kind()) {
                case DirtyJournal.DIRTY -> dirty(from, to, forced);
                case DirtyJournal.CLEAN -> clean(record, from, to, keepClean, indexKnows);
                case DirtyJournal.FORGET -> remove(from, to, indexKnows, false);
                case DirtyJournal.DISCARD -> remove(from, to, indexKnows, true);
                case DirtyJournal.TRUNCATE -> {
                    remove(from, Long.MAX_VALUE, indexKnows, true);
                    length = from;
                }
                case DirtyJournal.REMOVE -> {
                    remove(0, Long.MAX_VALUE, indexKnows, true);
                    removed = true;
                    length = -1;
                }
                case DirtyJournal.CREATED -> removed = false;
                default -> {}
            }
        }

        /** What the index knows already may be older than what it says now: then only dirty ranges change. */
        private void remove(long from, long to, boolean indexKnows, boolean dirtyToo) {
            ranges.remove(from, to, p -> p.isDirty() ? dirtyToo : !indexKnows);
        }

        private void dirty(long from, long to, boolean forced) {
            List<Piece> before = ranges.overlapping(from, to);
            ranges.set(Piece.dirty(from, to, forced ? FORCED_GENERATION : UNFORCED_GENERATION));
            for (Piece piece : before) {
                if (piece.isDirty() && piece.generation() == FORCED_GENERATION) {
                    ranges.set(piece);
                }
            }
            raise(to);
        }

        private void clean(JournalRecord record, long from, long to, boolean keepClean, boolean indexKnows) {
            ranges.remove(from, to, Piece::isDirty);
            raise(to);
            if (keepClean && !indexKnows) {
                UUID content = new UUID(record.value(3), record.value(4));
                ranges.set(Piece.clean(from, to, new Provenance(content, record.value(5))));
            }
        }

        private void raise(long end) {
            length = length < 0 ? length : Math.max(length, end);
        }
    }
}
