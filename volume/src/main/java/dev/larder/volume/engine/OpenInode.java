package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import dev.larder.volume.cache.CachedFile;
import dev.larder.volume.cache.NodeCache;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An inode in use: what is known of it, what was written and is not committed, how it is open. Its lock comes before the
 * cache file's; fields are guarded by it unless they say otherwise.
 */
final class OpenInode {
    /** How the kernel has it open; decided at the first open, kept until the last close. */
    enum Mode {
        UNDECIDED,
        CACHED,
        PASSTHROUGH
    }

    /**
     * Written here, not committed.
     *
     * @param size end of what was written, 0 when nothing grew
     * @param generation of the content when the first of these bytes was written; -1 = by a predecessor
     */
    record Pending(long size, FileTime mtime, boolean killSuidgid, long generation) {}

    final long inode;
    final ReentrantLock lock = new ReentrantLock();
    final KnownExtents known = new KnownExtents();
    final List<Upload> uploads = new ArrayList<>();
    /** Added under the lock, taken out without it. */
    final List<Fetch> fetches = new CopyOnWriteArrayList<>();

    final ReadStreams streams = new ReadStreams();

    /** Operations that have it in hand; guarded by the table. */
    int uses;

    /** What the metadata said last; written under the lock. */
    volatile Attributes attributes;

    /** Written under the lock; null = everything is committed. Read it before {@link #attributes}. */
    volatile Pending pending;

    volatile boolean stale;

    /** A change was told whose range has not been forgotten yet. */
    volatile boolean doubted;

    /** The table's count of distrusts when the attributes were read. */
    volatile long trustedSince;

    volatile int readers;
    volatile int writers;
    volatile Mode mode = Mode.UNDECIDED;
    int backingId;

    /** Open counts of a predecessor are not known: the mode stays until the kernel forgets the inode. */
    volatile boolean inherited;

    volatile boolean gone;

    /** The last link is gone; when it is closed, its hold goes. */
    volatile boolean unlinked;

    /** Quota taken for pending bytes. */
    long reserved;

    /** Allocated when the first of it was taken. */
    long reservedFrom;

    /** Dirty bytes that are counted in the total. */
    volatile long countedDirty;

    /** System.nanoTime of the oldest dirty byte, and when a failed commit is tried again. */
    volatile long dirtySince;

    volatile long retryAt;

    /** The last contiguous run of writes; its whole segments are uploaded while it grows. */
    long runStart;

    long runEnd;

    /** Everything dirty was appended by O_APPEND handles, in one run. */
    boolean appendOnly;

    /** The content version that the kernel's pages are of; -1 = not known. */
    long pagesVersion = -1;

    /** The backing file's mtime when it was last looked at for mapped writes, nanoseconds; 0 = never. */
    long scannedMtime;

    private final NodeCache cache;
    private volatile CachedFile file;

    OpenInode(long inode, NodeCache cache) {
        this.inode = inode;
        this.cache = cache;
    }

    /** Everything that the cache file has is right for the content that the attributes are of. */
    boolean isTrustedWhole() {
        Attributes now = attributes;
        return now != null && !stale && pending == null && known.trustedPrefix() >= now.size();
    }

    /** What a predecessor left is not compared: the kernel may have it open, and mapped writes are looked for later. */
    boolean isSuspect() {
        return !inherited && mode != Mode.PASSTHROUGH && file().isSuspect();
    }

    CachedFile file() {
        CachedFile opened = file;
        return opened != null ? opened : openFile();
    }

    private synchronized CachedFile openFile() {
        if (file == null) {
            file = cache.open(inode);
        }
        return file;
    }

    /** After the cache has removed the file: none of its bytes are dirty any more. */
    synchronized void discardFile() {
        if (file != null) {
            file.discard(0, Long.MAX_VALUE);
        }
    }

    /** By the table, when nobody has it in hand. */
    synchronized void closeFile() {
        if (file != null) {
            file.close();
            file = null;
        }
    }

    /** Under the lock. */
    void count(boolean writing, int by) {
        int counted = (writing ? writers : readers) + by;
        if (writing) {
            writers = counted;
        } else {
            readers = counted;
        }
    }

    int opens() {
        return readers + writers;
    }

    boolean isOpen() {
        return opens() > 0 || inherited && mode == Mode.PASSTHROUGH;
    }

    /** Size with pending bytes; attributes are known. */
    long size() {
        Pending written = pending;
        long committed = attributes.size();
        return written == null ? committed : Math.max(committed, written.size());
    }

    /** Bytes in a range were replaced or dropped: uploads and fetches of them are worth nothing. Lock held. */
    void overwritten(long from, long to) {
        for (Upload upload : uploads) {
            upload.overwritten(from, to);
        }
        for (Fetch fetch : fetches) {
            if (fetch.from() < to && from < fetch.to()) {
                fetch.kill();
            }
        }
    }
}
