package dev.larder.volume.cache;

import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.CacheDirectory.LastStop;
import dev.larder.volume.cache.CacheParts.Counters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's cache in a directory of its own, see {@link CacheDirectory} for the layout. What is in it is told by the
 * index and, ahead of it, the journal. After a power loss every clean range is dropped (its bytes were never forced) and
 * of the dirty ones those stay that were forced.
 *
 * <p>Memory is bounded: files that nobody has open and that have no dirty bytes live in the index only, but for the
 * last few thousand.
 */
public final class DiskCache implements NodeCache {
    private static final Logger log = LoggerFactory.getLogger(DiskCache.class);
    private static final long UPKEEP_MILLIS = 50;
    private static final long EVICT_AGAIN_NANOS = 1_000_000_000L;
    private static final long PROBE_NANOS = 10_000_000_000L;

    private final CacheParts parts;
    private final ConcurrentHashMap<Long, CachedFileEntry> entries = new ConcurrentHashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread upkeep;
    private long probedAt;
    private long evictionFailedAt = System.nanoTime() - EVICT_AGAIN_NANOS;

    private DiskCache(CacheParts parts) {
        this.parts = parts;
        parts.eviction().evictFrom(this::evict);
        upkeep = Thread.ofPlatform().daemon().name("cache-upkeep").unstarted(this::keepUp);
    }

    /**
     * @throws IllegalStateException when the directory is in use, of another volume or of a newer format; the message
     *     says what to do
     */
    public static DiskCache open(Path directory, UUID volume, CacheOptions options) {
        return open(CacheDirectory.open(directory, volume), new LinuxDisk(), options);
    }

    static DiskCache open(CacheDirectory directory, Disk disk, CacheOptions options) {
        Recovery recovery = new Recovery(directory, disk, options);
        try {
            Index index = recovery.index();
            Map<Long, Replay.State> states = recovery.run();
            Eviction eviction = new Eviction(EvictionPolicy.of(options.policy()), index);
            long dirty = states.values().stream()
                    .mapToLong(s -> s.ranges().dirtyBytes())
                    .sum();
            Counters counters = new Counters();
            counters.files.add(index.size()
                    + states.keySet().stream().filter(i -> !index.contains(i)).count());
            counters.cleanBytes.add(index.cleanBytes());
            counters.dirtyBytes.add(dirty);
            CacheParts parts = new CacheParts(
                    directory,
                    options,
                    disk,
                    recovery.journal(),
                    index,
                    new Room(options, disk, directory.root(), index.storedBytes() + dirty),
                    eviction,
                    new DiskHealth(),
                    new OpenFile.Pool(disk, options.openFiles()),
                    new AtomicLong(1),
                    counters,
                    ThreadLocalRandom.current().nextLong());
            DiskCache cache = new DiskCache(parts);
            recovery.hand(cache);
            states.forEach((inode, state) -> cache.entries.put(
                    inode,
                    new CachedFileEntry(inode, parts, List.copyOf(state.ranges().all()), true, IndexEntry.EMPTY)));
            recovery.journal().compact();
            cache.upkeep.start();
            return cache;
        } catch (RuntimeException e) {
            recovery.abandon();
            throw e;
        }
    }

    @Override
    public CachedFile open(long inode) {
        return new CachedFileHandle(acquire(inode), this::release);
    }

    private CachedFileEntry acquire(long inode) {
        return entries.compute(inode, (_, present) -> {
            CachedFileEntry entry = present == null ? load(inode) : present;
            entry.references++;
            return entry;
        });
    }

    private CachedFileEntry load(long inode) {
        IndexEntry indexed = parts.index().get(inode);
        return new CachedFileEntry(inode, parts, indexed.clean(), parts.index().contains(inode), indexed);
    }

    private void release(CachedFileEntry entry) {
        entries.compute(entry.inode(), (_, present) -> {
            entry.references--;
            if (present != entry) {
                if (entry.references == 0) {
                    entry.closeDescriptor();
                }
                return present;
            }
            boolean drop = entries.size() > parts.options().idleEntries() || entry.isEmpty();
            return drop ? retireIfIdle(entry) : entry;
        });
    }

    private CachedFileEntry retireIfIdle(CachedFileEntry entry) {
        if (entry.references > 0 || !entry.isIdle()) {
            return entry;
        }
        entry.retire();
        return null;
    }

    private long evict(long inode, long from, long to) {
        CachedFileEntry entry = acquire(inode);
        try {
            return entry.evict(from, to);
        } finally {
            release(entry);
        }
    }

    @Override
    public List<Long> dirtyInodes() {
        List<Long> dirty = new ArrayList<>();
        entries.forEach((inode, entry) -> {
            if (entry.dirtyBytes() > 0) {
                dirty.add(inode);
            }
        });
        return dirty;
    }

    @Override
    public List<Largest> largest(int limit) {
        PriorityQueue<Largest> kept = new PriorityQueue<>(Comparator.comparingLong(Largest::cachedBytes));
        Consumer<Largest> offer = one -> {
            kept.add(one);
            if (kept.size() > limit) {
                kept.remove();
            }
        };
        entries.forEach((inode, entry) -> offer.accept(new Largest(inode, entry.presentBytes())));
        for (Long inode = parts.index().after(Long.MIN_VALUE);
                inode != null;
                inode = parts.index().after(inode)) {
            if (!entries.containsKey(inode)) {
                offer.accept(new Largest(inode, parts.index().get(inode).cleanBytes()));
            }
        }
        return kept.stream()
                .filter(one -> one.cachedBytes() > 0)
                .sorted(Comparator.comparingLong(Largest::cachedBytes).reversed())
                .toList();
    }

    @Override
    public boolean contains(long inode) {
        return entries.containsKey(inode) || parts.index().contains(inode);
    }

    @Override
    public void remove(long inode) {
        if (!contains(inode)) {
            return;
        }
        entries.compute(inode, (_, present) -> {
            CachedFileEntry entry = present == null ? load(inode) : present;
            entry.remove();
            if (entry.references == 0) {
                entry.closeDescriptor();
            }
            return null;
        });
    }

    @Override
    public void dropClean() {
        Long inode = parts.index().after(Long.MIN_VALUE);
        entries.values().forEach(CachedFileEntry::dropClean);
        while (inode != null) {
            CachedFileEntry entry = acquire(inode);
            try {
                entry.dropClean();
            } finally {
                release(entry);
            }
            inode = parts.index().after(inode);
        }
    }

    @Override
    public Stats stats() {
        Counters counters = parts.counters();
        return new Stats(
                counters.files.sum(),
                counters.cleanBytes.sum(),
                counters.dirtyBytes.sum(),
                entries.values().stream()
                        .mapToLong(CachedFileEntry::pinnedBytes)
                        .sum(),
                parts.options().capacityBytes(),
                counters.hits.sum(),
                counters.misses.sum(),
                counters.hitBytes.sum(),
                counters.missBytes.sum(),
                counters.evictedBytes.sum());
    }

    @Override
    public void force() {
        entries.values().stream().filter(e -> e.dirtyBytes() > 0).forEach(CachedFileEntry::force);
        parts.journal().force();
        parts.index().force();
    }

    DiskHealth.State health() {
        return parts.health().state();
    }

    int openFiles() {
        return parts.openFiles().open();
    }

    /** Called by the journal's compaction: what the index says then covers all records before. */
    void checkpoint() {
        entries.values().forEach(CachedFileEntry::checkpoint);
        parts.index().commit();
    }

    private void keepUp() {
        try {
            while (!closing.await(UPKEEP_MILLIS, TimeUnit.MILLISECONDS)) {
                upkeepOnce();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void upkeepOnce() {
        try {
            if (parts.journal().isCrowded()) {
                parts.journal().compact();
            }
            evictAboveHigh();
            trimEntries();
            probe();
        } catch (RuntimeException e) {
            log.warn(
                    "cache upkeep failed, tried again: directory={}",
                    parts.directory().root(),
                    e);
        }
    }

    /** What is over may all be dirty or pinned: then it is asked again only after a second. */
    private void evictAboveHigh() {
        boolean due = System.nanoTime() - evictionFailedAt > EVICT_AGAIN_NANOS;
        if (due
                && parts.room().aboveHigh()
                && !parts.eviction().free(parts.room().excess())) {
            evictionFailedAt = System.nanoTime();
        }
    }

    private void trimEntries() {
        int over = entries.size() - parts.options().idleEntries();
        for (Long inode : over > 0 ? entries.keySet() : List.<Long>of()) {
            entries.computeIfPresent(inode, (_, entry) -> retireIfIdle(entry));
            if (entries.size() <= parts.options().idleEntries()) {
                return;
            }
        }
    }

    private void probe() {
        if (!parts.health().isDown() || System.nanoTime() - probedAt < PROBE_NANOS) {
            return;
        }
        probedAt = System.nanoTime();
        try {
            DiskProbe.run(parts.disk(), parts.directory().probe());
            parts.health().recovered();
        } catch (ErrnoException e) {
            log.info(
                    "cache disk still down: directory={} cause={}",
                    parts.directory().root(),
                    e.getMessage());
        }
    }

    @Override
    public void close() {
        stopUpkeep();
        boolean forced = forceAll();
        entries.values().forEach(CachedFileEntry::closeDescriptor);
        parts.journal().close();
        parts.index().close();
        if (forced) {
            parts.directory().markClean();
        }
        parts.directory().close();
    }

    void stopUpkeep() {
        closing.countDown();
        try {
            upkeep.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A stop counts as clean only when clean bytes are on the disk too: the whole file system is synced. */
    private boolean forceAll() {
        try {
            force();
            parts.journal().compact();
            parts.disk().syncAll(parts.directory().root());
            parts.journal().force();
            parts.index().force();
            return true;
        } catch (ErrnoException e) {
            log.warn(
                    "cache not forced at close: directory={} cause={}",
                    parts.directory().root(),
                    e.getMessage());
            return false;
        }
    }

    LastStop lastStop() {
        return parts.directory().lastStop();
    }
}
