package dev.larder.volume.engine;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.metadata.Maintenance;
import dev.larder.volume.metadata.Maintenance.FileExtent;
import dev.larder.volume.metadata.Maintenance.Move;
import dev.larder.volume.objects.SegmentStore;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Moves small contents from their rows into segments, many files to one object. Compare-and-swap: what was overwritten
 * or packed by another mount meanwhile is left alone, and a segment that nothing refers to is the collector's.
 */
final class Packer {
    /** Whatever is smaller waits for more, up to {@link #MAX_AGE}. */
    static final long WORTH_BYTES = SegmentStore.MAX_SEGMENT_BYTES / 2;

    static final Duration MAX_AGE = Duration.ofSeconds(60);

    private static final Duration SETTLED = Duration.ofSeconds(1);
    private static final int MAX_BATCHES = 10_000;

    private final Maintenance maintenance;
    private final SegmentStore segments;

    Packer(Maintenance maintenance, SegmentStore segments) {
        this.maintenance = maintenance;
        this.segments = segments;
    }

    /** @param objects segments written */
    record Packed(long extents, long bytes, int objects) {
        static final Packed NOTHING = new Packed(0, 0, 0);

        Packed plus(Packed other) {
            return new Packed(extents + other.extents, bytes + other.bytes, objects + other.objects);
        }
    }

    /** Packs full segments; what is left over only when it is old. */
    Packed run() throws IOException {
        return run(SETTLED, WORTH_BYTES).plus(run(MAX_AGE, 1));
    }

    /** Packs everything that waits, however little. */
    Packed runAll() throws IOException {
        return run(Duration.ZERO, 1);
    }

    private Packed run(Duration age, long worthBytes) throws IOException {
        Packed sum = Packed.NOTHING;
        for (int i = 0; i < MAX_BATCHES; i++) {
            List<FileExtent> batch = maintenance.inlineExtents(age, SegmentStore.MAX_SEGMENT_BYTES);
            if (batch.stream().mapToLong(Packer::bytes).sum() < worthBytes) {
                break;
            }
            Packed packed = pack(batch);
            sum = sum.plus(packed);
            if (packed.extents == 0) {
                break;
            }
        }
        return sum;
    }

    private static long bytes(FileExtent extent) {
        return extent.extent().data().length;
    }

    private Packed pack(List<FileExtent> batch) throws IOException {
        UUID segment = segments.newSegment();
        try (Arena arena = Arena.ofConfined()) {
            Map<UUID, MemorySegment> contents = contents(batch, arena);
            List<byte[]> tables = segments.write(segment, List.copyOf(contents.values()));
            Map<UUID, byte[]> frames = LinkedHashMap.newLinkedHashMap(contents.size());
            int next = 0;
            for (UUID content : contents.keySet()) {
                frames.put(content, tables.get(next++));
            }
            long bytes = contents.values().stream()
                    .mapToLong(MemorySegment::byteSize)
                    .sum();
            return new Packed(move(batch, segment, frames), bytes, 1);
        }
    }

    /** Every content once, verified, in order; what does not fit any more waits for the next segment. */
    private Map<UUID, MemorySegment> contents(List<FileExtent> batch, Arena arena) throws IOException {
        Map<UUID, MemorySegment> contents = new LinkedHashMap<>();
        long total = 0;
        for (FileExtent candidate : batch) {
            Extent extent = candidate.extent();
            if (contents.containsKey(extent.content())) {
                continue;
            }
            long length = length(FrameTable.decode(extent.frames()));
            total += length;
            if (total > SegmentStore.MAX_SEGMENT_BYTES) {
                break;
            }
            MemorySegment bytes = arena.allocate(length);
            segments.read(
                    extent,
                    0,
                    length,
                    (offset, frame) -> MemorySegment.copy(frame, 0, bytes, offset, frame.byteSize()));
            contents.put(extent.content(), bytes);
        }
        return contents;
    }

    static long length(FrameTable frames) {
        long length = 0;
        for (int i = 0; i < frames.count(); i++) {
            length += frames.length(i);
        }
        return length;
    }

    /** @throws ErrnoException of the database */
    private long move(List<FileExtent> batch, UUID segment, Map<UUID, byte[]> frames) {
        List<Move> moves = new ArrayList<>();
        for (FileExtent source : batch) {
            Extent from = source.extent();
            byte[] table = frames.get(from.content());
            if (table != null) {
                Extent to = new Extent(
                        from.offset(),
                        from.length(),
                        ExtentKind.SEGMENT,
                        from.content(),
                        from.skip(),
                        segment,
                        table,
                        null);
                moves.add(new Move(source.inode(), from, to));
            }
        }
        return maintenance.move(moves).stream().filter(moved -> moved).count();
    }
}
