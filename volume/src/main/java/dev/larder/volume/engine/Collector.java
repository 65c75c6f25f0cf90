package dev.larder.volume.engine;

import dev.larder.volume.metadata.Maintenance;
import dev.larder.volume.metadata.Maintenance.Garbage;
import dev.larder.volume.metadata.Maintenance.RetiredSegment;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.ObjectStore.Listed;
import dev.larder.volume.objects.SegmentKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * Gives back what nothing refers to, late and provably: trash past its age, inodes without a name, segments without a
 * reference (their objects go first, then their rows, and only after a synchronous flush of the decision), and objects
 * that no row knows and no living session may still be about to commit.
 */
public final class Collector {
    private static final int BATCH = 1_000;
    private static final int MAX_BATCHES = 100_000;

    private final Metadata metadata;
    private final Maintenance maintenance;
    private final ObjectStore store;
    private final Ages ages;

    /**
     * How old things must be.
     *
     * @param unlinked inodes without a name; at least two leases
     * @param segment segments without a reference since their birth and again since their retirement, unknown objects
     *     since they were written
     */
    public record Ages(Duration unlinked, Duration segment) {
        public static final Ages DEFAULT = new Ages(Duration.ofMinutes(3), Duration.ofHours(1));
    }

    /**
     * What was given back, or would be.
     *
     * @param bytesDeleted of the segments that were deleted and of the unknown objects
     */
    public record Collected(
            long trashEntries,
            long inodes,
            long segmentsRetired,
            long segmentsDeleted,
            long objectsUnknown,
            long bytesDeleted) {
        @Override
        public String toString() {
            return "trashEntries=" + trashEntries + " inodes=" + inodes + " segmentsRetired=" + segmentsRetired
                    + " segmentsDeleted=" + segmentsDeleted + " objectsUnknown=" + objectsUnknown + " bytesDeleted="
                    + bytesDeleted;
        }
    }

    /** Told of each step as it begins, in words, and then of how far it is. */
    @FunctionalInterface
    public interface Listener {
        Listener NONE = (step, done) -> {};

        void at(String step, long done);
    }

    private record Deleted(long count, long bytes) {}

    Collector(Metadata metadata, ObjectStore store, Ages ages) {
        this.metadata = metadata;
        this.maintenance = metadata.maintenance();
        this.store = store;
        this.ages = ages;
    }

    Collected run(Listener listener) throws IOException {
        listener.at("trash", 0);
        long trash = maintenance.purgeExpiredTrash(done -> listener.at("trash", done));
        listener.at("inodes without a name", 0);
        long inodes = maintenance.purgeUnlinked(ages.unlinked, done -> listener.at("inodes without a name", done));
        listener.at("segments without a reference", 0);
        int retired = maintenance.retireSegments(ages.segment);
        Deleted segments = deleteRetired(listener);
        Deleted unknown = unknown(listener, store::delete);
        return new Collected(trash, inodes, retired, segments.count, unknown.count, segments.bytes + unknown.bytes);
    }

    /**
     * Counts what {@link #run} would give back now, and changes nothing. What it would find only because its own earlier
     * steps removed files is not in it.
     */
    Collected count(Listener listener) throws IOException {
        listener.at("counting what nothing refers to", 0);
        Garbage garbage = maintenance.garbage(ages.unlinked, ages.segment);
        Deleted unknown = unknown(listener, keys -> {});
        return new Collected(
                garbage.trashEntries(),
                garbage.inodes(),
                garbage.unreferencedSegments(),
                garbage.deletableSegments(),
                unknown.count,
                garbage.deletableBytes() + unknown.bytes);
    }

    long purgeTrash(Instant before) {
        return maintenance.purgeTrash(before, done -> {});
    }

    private Deleted deleteRetired(Listener listener) throws IOException {
        metadata.flush();
        long count = 0;
        long bytes = 0;
        for (int i = 0; i < MAX_BATCHES; i++) {
            listener.at("deleting segments", count);
            List<RetiredSegment> batch = maintenance.retiredSegments(ages.segment, BATCH);
            List<UUID> ids = batch.stream().map(RetiredSegment::id).toList();
            store.delete(ids.stream().map(SegmentKey::of).toList());
            maintenance.forgetSegments(ids);
            count += batch.size();
            bytes += batch.stream().mapToLong(RetiredSegment::bytes).sum();
            if (batch.size() < BATCH) {
                break;
            }
        }
        return new Deleted(count, bytes);
    }

    private interface Deletion {
        void delete(List<String> keys) throws IOException;
    }

    /** The living are asked first: who ends after that has committed before it is asked what is known. */
    private Deleted unknown(Listener listener, Deletion deletion) throws IOException {
        Set<Long> living = new HashSet<>();
        maintenance.liveSessions().forEach(session -> living.add(session.getMostSignificantBits()));
        UnknownObjects unknown = new UnknownObjects(living, Instant.now().minus(ages.segment), listener, deletion);
        unknown.listener.at(UnknownObjects.STEP, 0);
        store.list("", unknown::listed);
        unknown.flush();
        if (unknown.failure != null) {
            throw unknown.failure;
        }
        return new Deleted(unknown.count, unknown.bytes);
    }

    /** One walk through the store's listing, in batches. */
    private final class UnknownObjects {
        static final String STEP = "objects that no segment knows, looking at";

        private final Set<Long> living;
        private final Instant before;
        private final Listener listener;
        private final Deletion deletion;
        private final Map<UUID, Long> candidates = new HashMap<>();
        private long listed;
        private long count;
        private long bytes;
        private IOException failure;

        UnknownObjects(Set<Long> living, Instant before, Listener listener, Deletion deletion) {
            this.living = living;
            this.before = before;
            this.listener = listener;
            this.deletion = deletion;
        }

        void listed(Listed object) {
            if (++listed % BATCH == 0) {
                listener.at(STEP, listed);
            }
            if (failure == null && object.lastModified().isBefore(before)) {
                SegmentKey.parse(object.key())
                        .filter(id -> !living.contains(id.getMostSignificantBits()))
                        .ifPresent(id -> candidates.put(id, object.sizeBytes()));
                if (candidates.size() >= BATCH) {
                    flush();
                }
            }
        }

        void flush() {
            List<UUID> ids = List.copyOf(candidates.keySet());
            List<Boolean> known = maintenance.knownSegments(ids);
            List<UUID> unknown = IntStream.range(0, ids.size())
                    .filter(i -> !known.get(i))
                    .mapToObj(ids::get)
                    .toList();
            try {
                deletion.delete(unknown.stream().map(SegmentKey::of).toList());
                count += unknown.size();
                bytes += unknown.stream().mapToLong(candidates::get).sum();
            } catch (IOException e) {
                failure = e;
            }
            candidates.clear();
        }
    }
}
