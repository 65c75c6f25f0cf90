package dev.larder.volume.engine;

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
 * Moves small contents from their rows into segments, many files to one object; adjacent ones of a file become one. Compare-and-swap: what was overwritten
 * or packed by another mount meanwhile is left alone, and a segment that nothing refers to is the collector's.
 */
final class Packer {
    /** Whatever is smaller waits for more, up to {@link #MAX_AGE}. */
    static final long WORTH_BYTES = SegmentStore.MAX_SEGMENT_BYTES / 2;

    static final Duration MAX_AGE = Duration.ofSeconds(60);

    private static final Duration SETTLED = Duration.ofSeconds(1);
    private static final int MAX_BATCHES = 10_000;
    private static final long ROW_BYTES = 512;
    private static final long MAX_RUN_BYTES = 1 << 20;

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

    /** With what its row costs: many tiny ones are worth it, too. */
    private static long bytes(FileExtent extent) {
        return ROW_BYTES + extent.extent().data().length;
    }

    private Packed pack(List<FileExtent> batch) throws IOException {
        UUID segment = segments.newSegment();
        try (Arena arena = Arena.ofShared()) {
            Map<UUID, MemorySegment> contents = new LinkedHashMap<>();
            List<Planned> planned = plan(batch, contents, arena);
            List<byte[]> tables = segments.write(segment, List.copyOf(contents.values()));
            Map<UUID, byte[]> frames = LinkedHashMap.newLinkedHashMap(contents.size());
            int next = 0;
            for (UUID content : contents.keySet()) {
                frames.put(content, tables.get(next++));
            }
            long bytes = contents.values().stream()
                    .mapToLong(MemorySegment::byteSize)
                    .sum();
            List<Move> moves = planned.stream()
                    .map(move -> move.to(segment, frames.get(move.content)))
                    .toList();
            long moved = maintenance.move(moves).stream().filter(done -> done).count();
            return new Packed(moved, bytes, 1);
        }
    }

    /** A run of adjacent extents and the content that it becomes. */
    private record Planned(long inode, List<Extent> from, UUID content, long skip) {
        Move to(UUID segment, byte[] frames) {
            long offset = from.getFirst().offset();
            long length = from.getLast().end() - offset;
            return new Move(
                    inode, from, new Extent(offset, length, ExtentKind.SEGMENT, content, skip, segment, frames, null));
        }
    }

    /** What fits into one segment; the rest waits for the next. */
    private List<Planned> plan(List<FileExtent> batch, Map<UUID, MemorySegment> contents, Arena arena)
            throws IOException {
        List<Planned> planned = new ArrayList<>();
        long left = SegmentStore.MAX_SEGMENT_BYTES;
        int next = 0;
        while (next < batch.size()) {
            List<Extent> run = run(batch, next);
            long needed = run.stream().mapToLong(extent -> extent.data().length).sum();
            if (needed > left) {
                break;
            }
            left -= needed;
            planned.add(plan(batch.get(next).inode(), run, contents, arena));
            next += run.size();
        }
        return planned;
    }

    /** The extents from one on that follow each other without a gap, at most {@link #MAX_RUN_BYTES} together. */
    private static List<Extent> run(List<FileExtent> batch, int first) {
        long inode = batch.get(first).inode();
        Extent last = batch.get(first).extent();
        List<Extent> run = new ArrayList<>(List.of(last));
        long bytes = last.data().length;
        for (int i = first + 1; i < batch.size(); i++) {
            Extent extent = batch.get(i).extent();
            bytes += extent.data().length;
            if (batch.get(i).inode() != inode || extent.offset() != last.end() || bytes > MAX_RUN_BYTES) {
                break;
            }
            run.add(extent);
            last = extent;
        }
        return run;
    }

    /** One extent keeps its content, so that what caches hold of it stays right; a run becomes a new one. */
    private Planned plan(long inode, List<Extent> run, Map<UUID, MemorySegment> contents, Arena arena)
            throws IOException {
        Extent only = run.getFirst();
        if (run.size() == 1 && only.frames() != null) {
            if (!contents.containsKey(only.content())) {
                long length = length(FrameTable.decode(only.frames()));
                contents.put(only.content(), read(whole(only, length), 0, length, arena));
            }
            return new Planned(inode, run, only.content(), only.skip());
        }
        long length = run.getLast().end() - only.offset();
        MemorySegment joined = arena.allocate(length);
        for (Extent extent : run) {
            MemorySegment bytes = read(extent, extent.skip(), extent.skip() + extent.length(), arena);
            MemorySegment.copy(bytes, 0, joined, extent.offset() - only.offset(), extent.length());
        }
        UUID content = UUID.randomUUID();
        contents.put(content, joined);
        return new Planned(inode, run, content, 0);
    }

    /** The extent as it was before later writes cut it: its row still has the whole content. */
    private static Extent whole(Extent cut, long length) {
        return new Extent(cut.offset(), length, cut.kind(), cut.content(), 0, cut.segment(), cut.frames(), cut.data());
    }

    /** Verified bytes of a content. */
    private MemorySegment read(Extent extent, long from, long to, Arena arena) throws IOException {
        MemorySegment bytes = arena.allocate(to - from);
        if (extent.frames() == null) {
            MemorySegment.copy(MemorySegment.ofArray(extent.data()), from - extent.skip(), bytes, 0, to - from);
            return bytes;
        }
        segments.read(extent, from, to, (offset, frame) -> {
            long begin = Math.max(offset, from);
            long end = Math.min(offset + frame.byteSize(), to);
            MemorySegment.copy(frame, begin - offset, bytes, begin - from, end - begin);
        });
        return bytes;
    }

    static long length(FrameTable frames) {
        long length = 0;
        for (int i = 0; i < frames.count(); i++) {
            length += frames.length(i);
        }
        return length;
    }
}
