package dev.larder.volume.objects;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Immutable objects by key, below one prefix of one store. Keys are relative, '/'-separated, of [a-zA-Z0-9._-] parts.
 * Every call has a deadline of its own; implementations retry what is safe to retry (S3: the SDK does).
 *
 * <p>Failures: {@link MissingObjectException}, {@link StoreAccessException} (credentials, missing bucket: retrying is
 * useless), else IOException (retry later). One contract test runs against every implementation.
 */
public interface ObjectStore extends AutoCloseable {
    /**
     * Stores an object whole or not at all, checksummed on the way; replacing one by the same bytes is harmless. Durable
     * when it returns.
     */
    void put(String key, MemorySegment bytes) throws IOException;

    /** Fills {@code into} with the object's bytes from {@code offset} on; the range lies within the object. */
    void get(String key, long offset, MemorySegment into) throws IOException;

    /** @return size in bytes */
    long size(String key) throws IOException;

    /** Deletes; a missing object is no error. Batches are cut to what the store takes. */
    void delete(Iterable<String> keys) throws IOException;

    /** Every object below a prefix, paged, in no particular order. */
    void list(String prefix, Consumer<Listed> each) throws IOException;

    /** Proves at once that the store can be read and written, for a mount to fail early with a clear message. */
    void probe() throws IOException;

    /** For people: the scheme and place, never a secret. */
    String describe();

    @Override
    void close();

    record Listed(String key, long sizeBytes, java.time.Instant lastModified) {}
}
