package dev.larder.volume.objects;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Objects of a bucket of any S3-compatible server. The SDK's classes are loaded by the first request, not by a mount that
 * reads from its cache: {@link S3Requests} alone touches them.
 *
 * <p>The SDK retries throttling, connection failures and 5xx answers. Ranged reads carry no checksum of the store: what
 * is read is verified by the frames' CRC32C.
 */
public final class S3Store implements ObjectStore {
    /** What DeleteObjects takes at once. */
    private static final int DELETE_BATCH = 1000;

    private final S3Options options;
    private final String prefix;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile S3Requests requests;
    private boolean closed;

    public S3Store(S3Options options) {
        this.options = options;
        this.prefix = ObjectKey.storePrefix(options.prefix());
    }

    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        requests().put(prefix + ObjectKey.valid(key), bytes);
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        String whole = prefix + ObjectKey.valid(key);
        if (into.byteSize() == 0) {
            requests().size(whole);
        } else {
            requests().get(whole, offset, into);
        }
    }

    @Override
    public long size(String key) throws IOException {
        return requests().size(prefix + ObjectKey.valid(key));
    }

    @Override
    public void delete(Iterable<String> keys) throws IOException {
        List<String> batch = new ArrayList<>();
        for (String key : keys) {
            batch.add(prefix + ObjectKey.valid(key));
            if (batch.size() == DELETE_BATCH) {
                requests().delete(batch);
                batch.clear();
            }
        }
        if (!batch.isEmpty()) {
            requests().delete(batch);
        }
    }

    @Override
    public void list(String keyPrefix, Consumer<Listed> each) throws IOException {
        requests()
                .list(
                        prefix + ObjectKey.validPrefix(keyPrefix),
                        found -> each.accept(new Listed(
                                found.key().substring(prefix.length()), found.sizeBytes(), found.lastModified())));
    }

    @Override
    public void probe() throws IOException {
        StoreProbe.run(this);
    }

    @Override
    public String describe() {
        return "s3://" + options.bucket() + "/" + prefix + " at "
                + (options.endpoint() == null ? "AWS region " + options.region() : options.endpoint());
    }

    @Override
    public String toString() {
        return describe();
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (requests != null) {
                requests.close();
            }
        } finally {
            lock.unlock();
        }
    }

    private S3Requests requests() throws IOException {
        S3Requests existing = requests;
        return existing == null ? connect() : existing;
    }

    private S3Requests connect() throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException(describe() + " is closed");
            }
            if (requests == null) {
                requests = S3Requests.connect(options, describe());
            }
            return requests;
        } finally {
            lock.unlock();
        }
    }
}
