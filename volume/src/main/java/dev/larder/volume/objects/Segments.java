package dev.larder.volume.objects;

import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.objects.BufferPool.Buffer;
import dev.larder.volume.objects.FrameRuns.Frame;
import dev.larder.volume.objects.FrameRuns.Run;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Segments in an object store, in the format of {@link SegmentFormat}. Owns the off-heap buffers of a volume's transfers;
 * the budget may be shared with other owners. Safe for any number of threads.
 */
public final class Segments implements SegmentStore, AutoCloseable {
    /** What the largest segment needs at once: a smaller budget is refused when the store is made. */
    private static final long MIN_BUDGET_BYTES = 2 * MAX_SEGMENT_BYTES;

    private final SegmentOptions options;
    private final Supplier<UUID> session;
    private final SecureRandom random = new SecureRandom();
    private final BufferPool pool;
    private final Transfers transfers;
    private final Counter corruptFrames;

    /** @param session the mount's session now; its high half becomes that of new segments */
    public Segments(
            ObjectStore store,
            Supplier<UUID> session,
            MemoryBudget budget,
            SegmentOptions options,
            MeterRegistry registry,
            Tags tags) {
        if (budget.totalBytes() < MIN_BUDGET_BYTES) {
            throw new IllegalArgumentException("a memory budget of " + budget.totalBytes()
                    + " bytes is too small for segments: at least " + MIN_BUDGET_BYTES + " are needed");
        }
        this.options = options;
        this.session = session;
        this.pool = new BufferPool(budget, options.maxIdleBytes());
        this.transfers = new Transfers(store, pool, options, registry, tags);
        this.corruptFrames = registry.counter("larder_segment_corrupt_frames", tags);
        registry.gauge("larder_segment_memory_bytes", tags, budget, MemoryBudget::usedBytes);
    }

    @Override
    public UUID newSegment() {
        return new UUID(session.get().getMostSignificantBits(), random.nextLong());
    }

    @Override
    public List<byte[]> writeFrom(UUID segment, List<Source> contents) throws IOException {
        requireOneSegment(contents);
        Deadline deadline = Deadline.after(options.deadline());
        Buffer buffer = pool.acquire(SegmentWriter.maxBytes(contents), deadline.left());
        MemorySegment object;
        List<byte[]> tables;
        try (SegmentWriter writer = new SegmentWriter(buffer.memory(), options.codec(), options.level())) {
            object = writer.write(contents);
            tables = writer.tables();
        } catch (RuntimeException | Error failure) {
            buffer.close();
            throw failure;
        }
        transfers.put(SegmentKey.of(segment), buffer, object, deadline);
        return tables;
    }

    @Override
    public void read(Extent extent, long from, long to, FrameConsumer consumer) throws IOException {
        if (from < extent.skip() || to > extent.skip() + extent.length() || from > to) {
            throw new IllegalArgumentException("[" + from + ", " + to + ") is not within the extent's [" + extent.skip()
                    + ", " + (extent.skip() + extent.length()) + ")");
        }
        if (from == to) {
            return;
        }
        if (extent.kind() == ExtentKind.INLINE && extent.frames() == null) {
            // What a later write left of a content: exactly the extent's bytes, without a checksum of their own.
            consumer.frame(extent.skip(), MemorySegment.ofArray(extent.data()).asReadOnly());
            return;
        }
        List<Frame> frames = FrameRuns.overlapping(FrameTable.decode(extent.frames()), from, to);
        if (extent.kind() == ExtentKind.INLINE) {
            deliverInline(extent, frames, consumer);
        } else if (extent.kind() == ExtentKind.SEGMENT) {
            fetch(SegmentKey.of(extent.segment()), FrameRuns.joined(frames, options.maxGetBytes()), consumer);
        } else {
            throw new IllegalArgumentException("an extent of kind " + extent.kind() + " is not in a segment");
        }
    }

    @Override
    public byte[] inlineFrames(MemorySegment content) {
        FrameTable table = FrameTable.of(FrameTable.CODEC_NONE, SegmentWriter.frames(content.byteSize()));
        for (int frame = 0; frame < table.count(); frame++) {
            long from = (long) frame * FrameTable.MAX_FRAME_BYTES;
            int length = (int) Math.min(FrameTable.MAX_FRAME_BYTES, content.byteSize() - from);
            table.set(frame, length, from, length, Checksums.crc32c(content.asSlice(from, length)));
        }
        return table.encoded();
    }

    /** Frees buffers that are kept for the next transfer. */
    public void giveUpIdle() {
        pool.giveUpIdle();
    }

    /** Frees the buffers; transfers that still run free theirs when they end. The store is its owner's. */
    @Override
    public void close() {
        pool.close();
    }

    private static void requireOneSegment(List<Source> contents) {
        long bytes = 0;
        for (Source content : contents) {
            bytes = Math.addExact(bytes, content.byteSize());
        }
        if (bytes > MAX_SEGMENT_BYTES || contents.size() > SegmentFormat.MAX_CONTENTS) {
            throw new IllegalArgumentException(contents.size() + " contents of " + bytes
                    + " bytes do not fit one segment: it takes " + SegmentFormat.MAX_CONTENTS + " contents of "
                    + MAX_SEGMENT_BYTES + " bytes");
        }
    }

    private static void deliverInline(Extent extent, List<Frame> frames, FrameConsumer consumer)
            throws CorruptContentException {
        MemorySegment data = MemorySegment.ofArray(extent.data());
        for (Frame frame : frames) {
            boolean there = frame.plain() && frame.storedOffset() + frame.length() <= data.byteSize();
            MemorySegment stored = there ? data.asSlice(frame.storedOffset(), frame.length()) : null;
            if (stored == null || Checksums.crc32c(stored) != frame.crc32c()) {
                throw new CorruptContentException("inline content " + extent.content() + ", frame " + frame.number()
                        + ": the bytes in the database do not match their checksum");
            }
            consumer.frame(frame.contentOffset(), stored.asReadOnly());
        }
    }

    private void fetch(String key, List<Run> runs, FrameConsumer consumer) throws IOException {
        Deadline deadline = Deadline.after(options.deadline());
        if (runs.size() == 1) {
            fetch(key, runs.getFirst(), consumer, deadline);
            return;
        }
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> fetchers = new ArrayList<>();
        for (Run run : runs) {
            fetchers.add(Thread.ofVirtual().name("larder-read").start(() -> {
                try {
                    if (failure.get() == null) {
                        fetch(key, run, consumer, deadline);
                    }
                } catch (Throwable any) { // rethrown by the reader, whatever it is
                    failure.compareAndSet(null, any);
                }
            }));
        }
        // Not interrupted: a consumer may be writing to a file, and an interrupt would close it. The deadline ends
        // them.
        fetchers.forEach(Segments::join);
        rethrow(failure.get());
    }

    /** Frames that arrive corrupt are fetched once more, alone, when the run's memory has been given back. */
    private void fetch(String key, Run run, FrameConsumer consumer, Deadline deadline) throws IOException {
        for (Frame frame : fetchOnce(key, run, consumer, deadline)) {
            corruptFrames.increment();
            if (!fetchOnce(key, new Run(List.of(frame)), consumer, deadline).isEmpty()) {
                throw new CorruptContentException("object " + key + ", frame " + frame.number() + " at byte "
                        + frame.storedOffset() + ": the stored bytes do not match their checksum, twice;"
                        + " run fsck and restore the file from a backup");
            }
        }
    }

    /** @return the frames that were corrupt and not delivered */
    private List<Frame> fetchOnce(String key, Run run, FrameConsumer consumer, Deadline deadline) throws IOException {
        long spare = run.plain() ? 0 : FrameTable.MAX_FRAME_BYTES;
        List<Frame> corrupt = new ArrayList<>();
        try (Buffer buffer = transfers.get(key, run.offset(), run.length(), spare, deadline);
                FrameDecoder decoder = new FrameDecoder(buffer.memory().asSlice(run.length()))) {
            for (Frame frame : run.frames()) {
                MemorySegment stored =
                        buffer.memory().asSlice(frame.storedOffset() - run.offset(), frame.storedLength());
                MemorySegment bytes = decoder.decode(frame, stored);
                if (bytes == null) {
                    corrupt.add(frame);
                } else {
                    consumer.frame(frame.contentOffset(), bytes);
                }
            }
        }
        return corrupt;
    }

    private static void join(Thread fetcher) {
        boolean interrupted = false;
        while (true) {
            try {
                fetcher.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void rethrow(Throwable failure) throws IOException {
        switch (failure) {
            case null -> {}
            case IOException failed -> throw failed;
            case RuntimeException failed -> throw failed;
            case Error failed -> throw failed;
            default -> throw new IOException(failure);
        }
    }
}
