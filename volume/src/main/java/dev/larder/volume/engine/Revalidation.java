package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.NodeCache.Present;
import dev.larder.volume.cache.NodeCache.Provenance;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Content;
import dev.larder.volume.objects.SegmentStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares what is known of an inode with the metadata: attributes, extents, and which bytes of the cache file are still
 * right. Every method wants the inode's lock held, also while the metadata is asked: a change that is reported meanwhile
 * waits and is applied after.
 */
final class Revalidation {
    /** File bytes whose extents are asked for at once. */
    static final long WINDOW = 256L << 20;

    private static final long VERIFIED_AT_ONCE = 8L << 20;
    private static final int MOST_RESTARTS = 3;

    private static final Logger LOG = LoggerFactory.getLogger(Revalidation.class);

    private final Metadata metadata;
    private final SegmentStore segments;
    private final InodeTable table;
    private final Durability durability;
    private final Dirtiness dirtiness;

    Revalidation(
            Metadata metadata, SegmentStore segments, InodeTable table, Durability durability, Dirtiness dirtiness) {
        this.metadata = metadata;
        this.segments = segments;
        this.table = table;
        this.durability = durability;
        this.dirtiness = dirtiness;
    }

    /** Attributes are what the metadata says, or what was said and has not been contradicted. */
    void attributes(OpenInode in) {
        if (table.isStale(in)) {
            load(in, 0, WINDOW);
        }
    }

    /** What the inode's commits have become after a crash is known: they are there, dirty again, or lost. */
    void settle(OpenInode in) {
        if (durability.isSuspect(in.inode) && !isThere(in)) {
            load(in, 0, WINDOW);
        }
    }

    private boolean isThere(OpenInode in) {
        try {
            return durability.isThere(in.inode, metadata.attributes(in.inode));
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESTALE) {
                return false;
            }
            throw e;
        }
    }

    /** What is present in [from, to) is right. */
    void trust(OpenInode in, long from, long to) {
        attributes(in);
        for (long at = from; at < to; at = windowEnd(at)) {
            long end = Math.min(to, windowEnd(at));
            if (!in.known.trusts(at, end)) {
                load(in, windowStart(at), windowEnd(at), at, at);
            }
            for (long part = at; in.isSuspect() && part < end; part += VERIFIED_AT_ONCE) {
                long partEnd = Math.min(end, part + VERIFIED_AT_ONCE);
                Verification.verify(in, part, partEnd, extents(in, part, partEnd));
            }
        }
    }

    /** The extents that overlap [from, to), inline bytes with them. */
    List<Extent> extents(OpenInode in, long from, long to) {
        attributes(in);
        TreeMap<Long, Extent> found = new TreeMap<>();
        for (long at = from; at < to; at = windowEnd(at)) {
            known(in, at, Math.min(to, windowEnd(at))).forEach(extent -> found.put(extent.offset(), extent));
        }
        return List.copyOf(found.values());
    }

    /** Within a window. The whole of it is asked for once, for trust; then what is not remembered. */
    private List<Extent> known(OpenInode in, long from, long to) {
        if (in.known.isLoaded(from, to)) {
            return in.known.within(from, to);
        }
        return in.known.trusts(from, to)
                ? load(in, from, to, from, to)
                : load(in, windowStart(from), windowEnd(from), from, to);
    }

    private static long windowStart(long at) {
        return at - at % WINDOW;
    }

    private static long windowEnd(long at) {
        long start = windowStart(at);
        return start > Long.MAX_VALUE - WINDOW ? Long.MAX_VALUE : start + WINDOW;
    }

    /**
     * Loads a range, answer by answer, from the beginning again when the content changes in between.
     *
     * @return the extents that overlap [wantedFrom, wantedTo)
     */
    private List<Extent> load(OpenInode in, long from, long to, long wantedFrom, long wantedTo) {
        int restarts = 0;
        long version = 0;
        List<Extent> wanted = new ArrayList<>();
        for (long at = from; at < to; ) {
            Content content = load(in, at, to);
            boolean changed = at > from && version != content.attributes().version();
            if (changed && restarts++ < MOST_RESTARTS) {
                wanted.clear();
                at = from;
                continue;
            }
            version = content.attributes().version();
            content.extents().stream()
                    .filter(extent -> overlaps(extent, wantedFrom, wantedTo))
                    .forEach(wanted::add);
            at = content.end();
        }
        return wanted;
    }

    private static boolean overlaps(Extent extent, long from, long to) {
        return extent.offset() < to && from < extent.end();
    }

    /** Asks for a range's extents, drops what is wrong in the cache, keeps inline bytes and holes; as far as one answer. */
    private Content load(OpenInode in, long from, long wantedTo) {
        long distrusts = table.distrusts();
        Content content = recovered(in, from, wantedTo, distrusts);
        long to = content.end();
        accept(in, content.attributes(), distrusts);
        in.file().reconcile(from, to, truth(content.extents(), from, to));
        long epoch = in.file().epoch();
        long end = Math.min(to, content.attributes().size());
        fillHoles(in, from, end, content.extents(), epoch);
        in.known.load(from, to, content.extents());
        in.known.trust(from, to);
        for (Extent extent : content.extents()) {
            if (extent.kind() == ExtentKind.INLINE) {
                fillInline(in, extent, epoch);
                in.known.unload(extent.offset(), extent.end());
            }
        }
        return content;
    }

    /** What a crash of the database took of the inode is made dirty, or told, before the answer is believed. */
    private Content recovered(OpenInode in, long from, long to, long distrusts) {
        Content content = ask(in, from, to);
        boolean older = isOlder(in, content.attributes());
        if (older || isDistrusted(in, distrusts)) {
            durability.findOut(in.inode, older);
        }
        if (!durability.isSuspect(in.inode)) {
            return content;
        }
        // The first answer may be from before the crash.
        content = ask(in, from, to);
        durability.recover(in, content.attributes());
        if (in.pending != null) {
            dirtiness.settle(in);
        }
        return content;
    }

    private static boolean isDistrusted(OpenInode in, long distrusts) {
        return in.attributes != null && in.trustedSince != distrusts;
    }

    /** An older version than before: the database lost commits, and the feed may not have told it yet. */
    private static boolean isOlder(OpenInode in, Attributes attributes) {
        Attributes before = in.attributes;
        return before != null && attributes.version() < before.version();
    }

    private Content ask(OpenInode in, long from, long to) {
        try {
            return metadata.content(in.inode, from, to);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESTALE) {
                durability.gone(in.inode);
                throw new ErrnoException(Errno.ESTALE, "inode " + in.inode + " is not there any more", e);
            }
            throw e;
        }
    }

    /** Attributes that were just read: everything that does not follow from what was known is forgotten. */
    void accept(OpenInode in, Attributes attributes, long distrusts) {
        Attributes before = in.attributes;
        boolean distrusted = isDistrusted(in, distrusts);
        if (distrusted || isOlder(in, attributes)) {
            in.pagesVersion = -1;
        }
        boolean explained =
                before != null && !distrusted && !in.doubted && (in.stale || before.version() == attributes.version());
        if (!explained) {
            in.known.forgetAll();
        }
        if (before == null && table.wasDescribed(in, attributes)) {
            in.known.trust(0, Long.MAX_VALUE);
        }
        if (attributes.size() == 0) {
            in.known.trust(0, Long.MAX_VALUE);
        }
        in.attributes = attributes;
        in.stale = false;
        in.doubted = false;
        in.trustedSince = distrusts;
    }

    static List<Present> truth(List<Extent> extents, long from, long to) {
        List<Present> truth = new ArrayList<>();
        for (Extent extent : extents) {
            long start = Math.max(from, extent.offset());
            long end = Math.min(to, extent.end());
            if (start < end && extent.kind() != ExtentKind.UNWRITTEN) {
                truth.add(new Present(
                        start, end - start, new Provenance(extent.content(), extent.skip() + start - extent.offset())));
            }
        }
        return truth;
    }

    private static void fillHoles(OpenInode in, long from, long to, List<Extent> extents, long epoch) {
        long at = from;
        for (Extent extent : extents) {
            if (extent.kind() != ExtentKind.UNWRITTEN) {
                if (extent.offset() > at) {
                    in.file().fillHole(at, Math.min(to, extent.offset()) - at, epoch);
                }
                at = Math.max(at, extent.end());
            }
            if (at >= to) {
                return;
            }
        }
        if (at < to) {
            in.file().fillHole(at, to - at, epoch);
        }
    }

    private void fillInline(OpenInode in, Extent extent, long epoch) {
        if (in.file().absent(extent.offset(), extent.length()).isEmpty()) {
            return;
        }
        try {
            ExtentBytes.read(
                    segments,
                    extent,
                    extent.skip(),
                    extent.skip() + extent.length(),
                    ContentReader.filler(in, extent, epoch));
        } catch (IOException e) {
            LOG.error("bytes in the metadata are damaged: inode={} offset={}", in.inode, extent.offset(), e);
        }
    }
}
