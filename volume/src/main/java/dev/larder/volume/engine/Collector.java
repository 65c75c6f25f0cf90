package dev.larder.volume.engine;

import dev.larder.volume.metadata.Maintenance;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.ObjectStore.Listed;
import dev.larder.volume.objects.SegmentKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

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
     * @param trash removed files stay this long
     * @param unlinked inodes without a name; at least two leases
     * @param segment segments without a reference since their birth and again since their retirement, unknown objects
     *     since they were written
     */
    public record Ages(Duration trash, Duration unlinked, Duration segment) {
        public static final Ages DEFAULT = new Ages(Duration.ofDays(1), Duration.ofMinutes(3), Duration.ofHours(1));
    }

    /** What was given back. */
    public record Collected(
            long trashEntries, long inodes, long segmentsRetired, long segmentsDeleted, long objectsUnknown) {
        @Override
        public String toString() {
            return "trashEntries=" + trashEntries + " inodes=" + inodes + " segmentsRetired=" + segmentsRetired
                    + " segmentsDeleted=" + segmentsDeleted + " objectsUnknown=" + objectsUnknown;
        }
    }

    Collector(Metadata metadata, ObjectStore store, Ages ages) {
        this.metadata = metadata;
        this.maintenance = metadata.maintenance();
        this.store = store;
        this.ages = ages;
    }

    /** @param progress told of each step as it begins, in words */
    Collected run(Consumer<String> progress) throws IOException {
        progress.accept("trash");
        long trash = purgeTrash(Instant.now().minus(ages.trash));
        progress.accept("inodes without a name");
        long inodes = repeat(() -> maintenance.purgeUnlinked(ages.unlinked, BATCH));
        progress.accept("segments without a reference");
        int retired = maintenance.retireSegments(ages.segment);
        long deleted = deleteRetired();
        progress.accept("objects that no segment knows");
        long unknown = deleteUnknown();
        return new Collected(trash, inodes, retired, deleted, unknown);
    }

    long purgeTrash(Instant before) {
        return repeat(() -> maintenance.purgeTrash(before, BATCH));
    }

    private static long repeat(IntSupplier step) {
        long sum = 0;
        for (int i = 0; i < MAX_BATCHES; i++) {
            int done = step.getAsInt();
            sum += done;
            if (done < BATCH) {
                break;
            }
        }
        return sum;
    }

    private long deleteRetired() throws IOException {
        metadata.flush();
        long deleted = 0;
        for (int i = 0; i < MAX_BATCHES; i++) {
            List<UUID> batch = maintenance.retiredSegments(ages.segment, BATCH);
            store.delete(batch.stream().map(SegmentKey::of).toList());
            maintenance.forgetSegments(batch);
            deleted += batch.size();
            if (batch.size() < BATCH) {
                break;
            }
        }
        return deleted;
    }

    /** The living are asked first: who ends after that has committed before it is asked what is known. */
    private long deleteUnknown() throws IOException {
        Set<Long> living = new HashSet<>();
        maintenance.liveSessions().forEach(session -> living.add(session.getMostSignificantBits()));
        Instant before = Instant.now().minus(ages.segment);
        List<UUID> candidates = new ArrayList<>(BATCH);
        long[] deleted = {0};
        List<IOException> failures = new ArrayList<>(1);
        store.list("", listed -> {
            segmentOf(listed, before, living).ifPresent(candidates::add);
            if (candidates.size() == BATCH && failures.isEmpty()) {
                deleted[0] += deleteUnknown(candidates, failures);
            }
        });
        deleted[0] += deleteUnknown(candidates, failures);
        if (!failures.isEmpty()) {
            throw failures.getFirst();
        }
        return deleted[0];
    }

    private static Optional<UUID> segmentOf(Listed listed, Instant before, Set<Long> living) {
        return listed.lastModified().isBefore(before)
                ? SegmentKey.parse(listed.key()).filter(id -> !living.contains(id.getMostSignificantBits()))
                : Optional.empty();
    }

    private long deleteUnknown(List<UUID> candidates, List<IOException> failures) {
        List<Boolean> known = maintenance.knownSegments(List.copyOf(candidates));
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            if (!known.get(i)) {
                keys.add(SegmentKey.of(candidates.get(i)));
            }
        }
        candidates.clear();
        try {
            store.delete(keys);
            return keys.size();
        } catch (IOException e) {
            failures.add(e);
            return 0;
        }
    }
}
