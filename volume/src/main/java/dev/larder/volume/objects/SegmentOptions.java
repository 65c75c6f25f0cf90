package dev.larder.volume.objects;

import dev.larder.volume.metadata.FrameTable;
import java.time.Duration;

/**
 * How segments are written and read.
 *
 * @param codec of new segments; those of any codec are read
 * @param level zstd's, 1 to 19
 * @param maxGetBytes neighbouring frames are fetched together up to this size
 * @param parallelGets of one volume, at once
 * @param deadline of one read or write with its retries and its wait for memory
 * @param attempts of a request that failed without being refused, the first included
 * @param backoff before the second attempt, doubled before each further one, with jitter
 * @param hedge a second GET is sent when the first takes three times the recent 95th percentile, for at most one GET in
 *     twenty
 * @param maxIdleBytes of off-heap buffers that are kept for the next transfer
 */
public record SegmentOptions(
        Codec codec,
        int level,
        int maxGetBytes,
        int parallelGets,
        Duration deadline,
        int attempts,
        Duration backoff,
        boolean hedge,
        long maxIdleBytes) {
    public static final SegmentOptions DEFAULT = new SegmentOptions(
            Codec.NONE, 1, 4 << 20, 16, Duration.ofMinutes(2), 3, Duration.ofMillis(100), true, 64L << 20);

    public SegmentOptions {
        if (maxGetBytes < FrameTable.MAX_FRAME_BYTES || parallelGets < 1 || attempts < 1) {
            throw new IllegalArgumentException("segments need at least " + FrameTable.MAX_FRAME_BYTES
                    + " bytes a GET, one GET at once and one attempt");
        }
    }

    public SegmentOptions withCodec(Codec value) {
        return new SegmentOptions(
                value, level, maxGetBytes, parallelGets, deadline, attempts, backoff, hedge, maxIdleBytes);
    }

    public SegmentOptions withDeadline(Duration value) {
        return new SegmentOptions(
                codec, level, maxGetBytes, parallelGets, value, attempts, backoff, hedge, maxIdleBytes);
    }

    public SegmentOptions withHedge(boolean value) {
        return new SegmentOptions(
                codec, level, maxGetBytes, parallelGets, deadline, attempts, backoff, value, maxIdleBytes);
    }

    public SegmentOptions withParallelGets(int value) {
        return new SegmentOptions(codec, level, maxGetBytes, value, deadline, attempts, backoff, hedge, maxIdleBytes);
    }

    /** Compression of frames. */
    public enum Codec {
        NONE(FrameTable.CODEC_NONE),
        ZSTD(FrameTable.CODEC_ZSTD);

        private final int number;

        Codec(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }
}
