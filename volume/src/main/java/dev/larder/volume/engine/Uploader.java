package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.objects.SegmentStore;
import dev.larder.volume.objects.StoreAccessException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Cuts dirty ranges into segments and uploads them, a bounded number at a time. Bytes are read
 * from the cache file without the inode's lock: what is overwritten meanwhile is told to the {@link Upload}.
 */
final class Uploader {
    private final InodeTable table;
    private final SegmentStore segments;
    private final ContentOptions options;
    private final Executor executor;
    private final Semaphore permits;

    Uploader(InodeTable table, SegmentStore segments, ContentOptions options, Executor executor) {
        this.table = table;
        this.segments = segments;
        this.options = options;
        this.executor = executor;
        this.permits = new Semaphore(options.uploads());
    }

    /** Starts to upload ranges, all dirty. The inode's lock is held. */
    void start(OpenInode in, List<Range> ranges) {
        List<Upload> segment = new ArrayList<>();
        UUID id = segments.newSegment();
        long bytes = 0;
        for (Range range : cut(ranges)) {
            if (bytes + range.length() > SegmentStore.MAX_SEGMENT_BYTES) {
                launch(in, segment);
                segment = new ArrayList<>();
                id = segments.newSegment();
                bytes = 0;
            }
            segment.add(new Upload(range, id));
            bytes += range.length();
        }
        launch(in, segment);
    }

    private static List<Range> cut(List<Range> ranges) {
        List<Range> pieces = new ArrayList<>();
        for (Range range : ranges) {
            for (long at = range.offset(); at < range.end(); at += SegmentStore.MAX_SEGMENT_BYTES) {
                pieces.add(new Range(at, Math.min(SegmentStore.MAX_SEGMENT_BYTES, range.end() - at)));
            }
        }
        return pieces;
    }

    private void launch(OpenInode in, List<Upload> segment) {
        if (segment.isEmpty()) {
            return;
        }
        in.uploads.addAll(segment);
        table.use(in.inode);
        executor.execute(() -> {
            try {
                upload(in, segment);
            } finally {
                table.done(in);
            }
        });
    }

    private void upload(OpenInode in, List<Upload> segment) {
        boolean permitted = false;
        try {
            permitted = permits.tryAcquire(options.patience().toMillis(), TimeUnit.MILLISECONDS);
            if (!permitted) {
                throw new ErrnoException(
                        Errno.ETIMEDOUT,
                        "other uploads did not end within " + options.patience() + ": the store is slow or away");
            }
            List<byte[]> frames = write(
                    segment,
                    segment.stream()
                            .<SegmentStore.Source>map(upload -> new Bytes(in, upload))
                            .toList());
            for (int i = 0; i < frames.size(); i++) {
                segment.get(i).frames.complete(frames.get(i));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(segment, e);
        } catch (IOException | RuntimeException e) {
            fail(segment, e);
        } finally {
            if (permitted) {
                permits.release();
            }
        }
    }

    private static void fail(List<Upload> segment, Exception cause) {
        segment.forEach(upload -> upload.frames.completeExceptionally(cause));
    }

    /** Read from the cache file frame by frame, into the object. */
    private record Bytes(OpenInode in, Upload upload) implements SegmentStore.Source {
        @Override
        public long byteSize() {
            return upload.length;
        }

        @Override
        public void read(long offset, MemorySegment into) {
            if (!in.file().read(upload.offset + offset, into)) {
                throw new ErrnoException(Errno.EAGAIN, "bytes were cut off while they were uploaded");
            }
        }
    }

    private List<byte[]> write(List<Upload> segment, List<SegmentStore.Source> contents) throws IOException {
        Backoff backoff = new Backoff(options.patience());
        while (true) {
            try {
                return segments.writeFrom(segment.getFirst().segment, contents);
            } catch (StoreAccessException e) {
                throw e;
            } catch (IOException e) {
                if (!backoff.pause()) {
                    throw e;
                }
            }
        }
    }

    /**
     * Waits for uploads.
     *
     * @throws ErrnoException EIO with the store's error, ETIMEDOUT; the bytes stay dirty
     */
    void await(List<Upload> uploads) {
        long deadline = System.nanoTime() + options.patience().toNanos();
        for (Upload upload : uploads) {
            try {
                upload.frames.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ErrnoException(Errno.EINTR, "interrupted while uploading", e);
            } catch (TimeoutException e) {
                throw new ErrnoException(
                        Errno.ETIMEDOUT, "the store did not take the data within " + options.patience(), e);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof ErrnoException errno && errno.errno() == Errno.EAGAIN) {
                    continue;
                }
                throw Failures.of("cannot upload to the store", e.getCause());
            }
        }
    }
}
