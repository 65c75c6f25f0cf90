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
        states.values().forEach(s -> s.dirty.remove(0, Long.MAX_VALUE, p -> p.generation() != FORCED_GENERATION));
        return states;
    }

    private Map<Long, State> run(List<JournalRecord> records) {
        for (JournalRecord record : records) {
            if (record.kind() == DirtyJournal.FORCED) {
                forcedUpTo.merge(record.value(0), record.value(1), Math::max);
            }
        }
        for (JournalRecord record : records) {
            if (record.kind() == DirtyJournal.WRITTEN) {
                continue;
            }
            states.computeIfAbsent(record.value(0), this::load).apply(record, forced(record), keepClean);
        }
        return states;
    }

    private boolean forced(JournalRecord record) {
        return record.value(3) == 1 || record.sequence() <= forcedUpTo.getOrDefault(record.value(0), -1L);
    }

    private State load(long inode) {
        return new State(index.apply(inode));
    }

    /** One inode's state as of the last record. What the index knows already may be newer than the record. */
    static final class State {
        private final RangeMap clean = new RangeMap();
        private final RangeMap dirty = new RangeMap();
        private final long indexSequence;
        private long length = -1;

        private State(IndexEntry entry) {
            indexSequence = entry.sequence();
            entry.clean().forEach(clean::set);
        }

        RangeMap ranges() {
            RangeMap both = new RangeMap();
            clean.all().forEach(both::set);
            dirty.all().forEach(both::set);
            return both;
        }

        /** The file may not be longer, or -1 when nothing cut it. */
        long length() {
            return length;
        }

        private void apply(JournalRecord record, boolean forced, boolean keepClean) {
            long from = record.value(1);
            long to = from + record.value(2);
            boolean indexKnows = record.sequence() <= indexSequence;
            switch (record.kind()) {
                case DirtyJournal.DIRTY -> {
                    remove(from, to, indexKnows, false);
                    addDirty(from, to, forced);
                }
                case DirtyJournal.CLEAN -> {
                    remove(from, to, indexKnows, true);
                    addClean(record, from, to, keepClean && !indexKnows);
                }
                case DirtyJournal.FORGET -> remove(from, to, indexKnows, false);
                case DirtyJournal.DISCARD -> remove(from, to, indexKnows, true);
                case DirtyJournal.TRUNCATE -> {
                    remove(from, Long.MAX_VALUE, indexKnows, true);
                    length = from;
                }
                case DirtyJournal.REMOVE -> {
                    remove(0, Long.MAX_VALUE, indexKnows, true);
                    length = -1;
                }
                default -> {}
            }
        }

        private void remove(long from, long to, boolean indexKnows, boolean dirtyToo) {
            if (!indexKnows) {
                clean.remove(from, to, _ -> true);
            }
            if (dirtyToo) {
                dirty.remove(from, to, _ -> true);
            }
        }

        private void addDirty(long from, long to, boolean forced) {
            List<Piece> before = dirty.overlapping(from, to);
            dirty.set(Piece.dirty(from, to, forced ? FORCED_GENERATION : UNFORCED_GENERATION));
            for (Piece piece : before) {
                if (piece.generation() == FORCED_GENERATION) {
                    dirty.set(piece);
                }
            }
            raise(to);
        }

        private void addClean(JournalRecord record, long from, long to, boolean keep) {
            raise(to);
            if (keep) {
                UUID content = new UUID(record.value(3), record.value(4));
                clean.set(Piece.clean(from, to, new Provenance(content, record.value(5))));
            }
        }

        private void raise(long end) {
            length = length < 0 ? length : Math.max(length, end);
        }
    }
}
