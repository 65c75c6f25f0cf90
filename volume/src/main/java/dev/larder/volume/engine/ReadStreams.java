package dev.larder.volume.engine;

import dev.larder.volume.cache.CachedFile.Range;

/**
 * Finds sequential readers among the reads of one inode (a handle has no state) and says what to read ahead: a window
 * that doubles. Thread-safe.
 */
final class ReadStreams {
    private static final int STREAMS = 4;
    private static final long FIRST_WINDOW = 256 << 10;
    /** The kernel's own readahead arrives out of order within this distance. */
    private static final long SLACK = 1 << 20;

    private final Stream[] streams = new Stream[STREAMS];
    private int oldest;

    private static final class Stream {
        long next;
        long window;
        long fetchedTo;
    }

    /** @return what to fetch beyond the read, or null */
    synchronized Range read(long offset, long length, long limit) {
        long end = offset + length;
        for (Stream stream : streams) {
            if (stream != null && Math.abs(offset - stream.next) <= SLACK) {
                return advance(stream, end, limit);
            }
        }
        Stream stream = new Stream();
        stream.next = end;
        stream.fetchedTo = end;
        streams[oldest] = stream;
        oldest = (oldest + 1) % STREAMS;
        return offset == 0 ? advance(stream, end, limit) : null;
    }

    private static Range advance(Stream stream, long end, long limit) {
        stream.next = Math.max(stream.next, end);
        long from = Math.max(stream.fetchedTo, stream.next);
        if (from - stream.next > stream.window / 2) {
            return null;
        }
        stream.window = Math.min(limit, stream.window == 0 ? FIRST_WINDOW : stream.window * 2);
        stream.fetchedTo = stream.next + stream.window;
        return from < stream.fetchedTo ? new Range(from, stream.fetchedTo - from) : null;
    }
}
