package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.cache.ContentVersion;
import dev.larder.volume.cache.NodeCache;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToLongFunction;

/** The inodes in use, and a bounded number of clean ones that were closed last. Thread-safe. */
final class InodeTable {
    private static final int CHANGES = 4096;

    private final ConcurrentHashMap<Long, OpenInode> entries = new ConcurrentHashMap<>();
    private final LinkedHashMap<Long, OpenInode> idle = new LinkedHashMap<>();
    /** Inodes that the feed named last, with or without an entry. */
    private final LinkedHashMap<Long, Boolean> changes = new LinkedHashMap<>();

    private volatile long distrustsAtBegin;
    private volatile UUID incarnation;
    private final AtomicLong distrusts = new AtomicLong();
    private final NodeCache cache;
    private final int idleLimit;
    private final boolean successor;

    /** @param successor inodes may be open that this process knows nothing of */
    InodeTable(NodeCache cache, int idleLimit, boolean successor) {
        this.cache = cache;
        this.idleLimit = idleLimit;
        this.successor = successor;
    }

    /** An operation takes the inode in hand; {@link #done} ends it. */
    OpenInode use(long inode) {
        return entries.compute(inode, (number, found) -> {
            OpenInode entry = found;
            if (entry == null) {
                entry = new OpenInode(inode, cache);
                entry.inherited = successor;
            } else if (entry.uses == 0) {
                synchronized (idle) {
                    idle.remove(inode);
                }
            }
            entry.uses++;
            return entry;
        });
    }

    /** Uses an inode for one operation. */
    long with(long inode, ToLongFunction<OpenInode> operation) {
        OpenInode in = use(inode);
        try {
            return operation.applyAsLong(in);
        } finally {
            done(in);
        }
    }

    void done(OpenInode entry) {
        entries.compute(entry.inode, (number, found) -> {
            if (--entry.uses == 0 && isIdle(entry)) {
                close(entry);
                if (entry.gone) {
                    return null;
                }
                synchronized (idle) {
                    idle.put(entry.inode, entry);
                }
            }
            return found;
        });
        trim();
    }

    /**
     * @param incarnation of the database, in which everything that was visible when this process began is durable: what
     *     an earlier process compared in it needs no comparison
     */
    void began(UUID incarnation) {
        distrustsAtBegin = distrusts.get();
        this.incarnation = incarnation;
    }

    /** The cache file was compared with this very content by an earlier process. */
    boolean wasDescribed(OpenInode entry, Attributes attributes) {
        UUID in = incarnationSinceBegin();
        return in != null && entry.file().wasDescribed(new ContentVersion(attributes.version(), in));
    }

    /** Null once anything was distrusted: a promoted standby may lack what was durable. */
    private UUID incarnationSinceBegin() {
        return distrusts.get() == distrustsAtBegin ? incarnation : null;
    }

    /** Nobody has it in hand. */
    private void close(OpenInode entry) {
        UUID in = incarnationSinceBegin();
        if (in != null && entry.isTrustedWhole()) {
            entry.file().describe(new ContentVersion(entry.attributes.version(), in));
        }
        entry.closeFile();
    }

    /** At the end of the process. */
    void closeAll() {
        entries.values().forEach(this::close);
    }

    /** The entry as it is, or null; for a look at it. */
    OpenInode peek(long inode) {
        return entries.get(inode);
    }

    Collection<OpenInode> all() {
        return entries.values();
    }

    void noteChange(long inode) {
        synchronized (changes) {
            changes.remove(inode);
            changes.put(inode, true);
            if (changes.size() > CHANGES) {
                Iterator<Long> oldest = changes.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
        }
    }

    /** Attributes that came without the inode's lock may be older than a change that was told meanwhile. */
    boolean changedLately(long inode) {
        synchronized (changes) {
            return changes.containsKey(inode);
        }
    }

    /** Attributes read before now are not trusted. */
    void distrust() {
        distrusts.incrementAndGet();
    }

    long distrusts() {
        return distrusts.get();
    }

    boolean isStale(OpenInode entry) {
        return entry.attributes == null || entry.stale || entry.trustedSince != distrusts.get();
    }

    private static boolean isIdle(OpenInode entry) {
        return !entry.isOpen() && entry.pending == null && entry.countedDirty == 0;
    }

    private void trim() {
        while (true) {
            Long eldest;
            synchronized (idle) {
                if (idle.size() <= idleLimit) {
                    return;
                }
                Iterator<Map.Entry<Long, OpenInode>> oldest = idle.entrySet().iterator();
                eldest = oldest.next().getKey();
                oldest.remove();
            }
            entries.computeIfPresent(eldest, (number, entry) -> entry.uses == 0 && isIdle(entry) ? null : entry);
        }
    }
}
