package dev.larder.volume.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The persistent index: one checkpointed {@link IndexEntry} an inode, in an H2 MVStore with a small page cache. It lags
 * behind the journal; together they are the truth.
 */
final class Index implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Index.class);
    private static final int CACHE_MIB = 8;
    private static final String STORED = "stored";
    private static final String CLEAN = "clean";
    private static final String SEQUENCE = "sequence";

    private final MVStore store;
    private final MVMap<Long, byte[]> entries;
    private final MVMap<String, Long> totals;
    private final boolean rebuilt;
    private final ReentrantLock lock = new ReentrantLock();

    private Index(MVStore store, boolean rebuilt) {
        this.store = store;
        this.rebuilt = rebuilt;
        entries = store.openMap("entries");
        totals = store.openMap("totals");
    }

    /** An index that cannot be read is replaced by an empty one: clean ranges are fetched again. */
    static Index open(Path file) {
        try {
            return new Index(store(file), false);
        } catch (MVStoreException e) {
            log.warn("cache index unreadable, starting with an empty one: file={} cause={}", file, e.getMessage());
            try {
                Files.deleteIfExists(file);
            } catch (IOException again) {
                throw new UncheckedIOException("cannot replace the damaged index " + file, again);
            }
            return new Index(store(file), true);
        }
    }

    private static MVStore store(Path file) {
        MVStore store = new MVStore.Builder()
                .fileName(file.toString())
                .cacheSize(CACHE_MIB)
                .autoCommitBufferSize(1024)
                .open();
        store.setVersionsToKeep(0);
        return store;
    }

    boolean rebuilt() {
        return rebuilt;
    }

    IndexEntry get(long inode) {
        return IndexEntry.decode(entries.get(inode));
    }

    boolean contains(long inode) {
        return entries.containsKey(inode);
    }

    void put(long inode, IndexEntry entry) {
        lock.lock();
        try {
            byte[] old = entry.clean().isEmpty() ? entries.remove(inode) : entries.put(inode, entry.encode());
            if (old == null && entry.clean().isEmpty()) {
                return;
            }
            IndexEntry before = IndexEntry.decode(old);
            totals.merge(STORED, entry.storedBytes() - before.storedBytes(), Long::sum);
            totals.merge(CLEAN, entry.cleanBytes() - before.cleanBytes(), Long::sum);
            totals.merge(SEQUENCE, entry.sequence(), Math::max);
        } finally {
            lock.unlock();
        }
    }

    void remove(long inode, long sequence) {
        put(inode, new IndexEntry(sequence, java.util.List.of()));
    }

    void clear() {
        lock.lock();
        try {
            entries.clear();
            totals.put(STORED, 0L);
            totals.put(CLEAN, 0L);
        } finally {
            lock.unlock();
        }
    }

    long size() {
        return entries.sizeAsLong();
    }

    long storedBytes() {
        return totals.getOrDefault(STORED, 0L);
    }

    long cleanBytes() {
        return totals.getOrDefault(CLEAN, 0L);
    }

    /** The highest journal sequence that an entry names. */
    long sequence() {
        return totals.getOrDefault(SEQUENCE, 0L);
    }

    /** The next inode after this one, null behind the last. */
    Long after(long inode) {
        return entries.higherKey(inode);
    }

    /** In the page cache when it returns. */
    void commit() {
        store.commit();
    }

    void force() {
        store.commit();
        store.sync();
    }

    @Override
    public void close() {
        store.close();
    }
}
