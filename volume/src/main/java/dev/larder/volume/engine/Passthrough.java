package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Kernel;
import dev.larder.volume.engine.OpenInode.Mode;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that the kernel serves from the cache file. The mode and the backing id stay until the last close, as the kernel
 * demands; writers come with direct I/O. What is written through a mapping of the backing file comes without a message:
 * it is found by the file's mtime and the frames' checksums. The inode's lock is held unless a method says otherwise.
 */
final class Passthrough {
    private static final long SCANNED_AT_ONCE = 8L << 20;
    private static final Logger LOG = LoggerFactory.getLogger(Passthrough.class);

    /** A larger suspect file is verified piece by piece as it is read: its open must not wait for all of it. */
    private static final long MOST_VERIFIED_BYTES = 64L << 20;

    private final Kernel kernel;
    private final Revalidation revalidation;
    private final ContentReader reader;
    private final Dirtiness dirtiness;
    private final long smallest;

    /** @param smallest files below it are not worth it */
    Passthrough(Kernel kernel, Revalidation revalidation, ContentReader reader, Dirtiness dirtiness, long smallest) {
        this.smallest = smallest;
        this.kernel = kernel;
        this.revalidation = revalidation;
        this.reader = reader;
        this.dirtiness = dirtiness;
    }

    /** Decides the mode at the first open. */
    void decide(OpenInode in, boolean writer) {
        if (in.mode != Mode.UNDECIDED) {
            return;
        }
        inherit(in);
        if (in.mode != Mode.UNDECIDED) {
            return;
        }
        if (!in.inherited && !writer && kernel.passthrough() && isComplete(in) && register(in)) {
            begin(in);
        } else {
            in.mode = Mode.CACHED;
        }
    }

    /**
     * An inode that a predecessor gave to the kernel stays in that mode. What came in through a mapping before the
     * predecessor died has not been looked for.
     */
    void inherit(OpenInode in) {
        int inheritedId = in.mode == Mode.UNDECIDED && in.inherited ? kernel.backing(in.inode) : 0;
        if (inheritedId != 0) {
            in.backingId = inheritedId;
            begin(in);
            in.scannedMtime = -1;
        }
    }

    private boolean isComplete(OpenInode in) {
        long size = in.size();
        if (size < smallest || in.pending != null || !in.file().complete(size)) {
            return false;
        }
        if (in.isSuspect() && size > MOST_VERIFIED_BYTES) {
            return false;
        }
        revalidation.trust(in, 0, size);
        return in.file().complete(size);
    }

    private boolean register(OpenInode in) {
        in.file().pin();
        try {
            in.file().fitTo(in.size());
            in.backingId = kernel.openBacking(in.inode, in.file().descriptor());
            return true;
        } catch (ErrnoException e) {
            LOG.warn("passthrough refused: inode={} cause={}", in.inode, e.getMessage());
            return false;
        } finally {
            in.file().unpin();
        }
    }

    private static void begin(OpenInode in) {
        in.file().pin();
        in.mode = Mode.PASSTHROUGH;
        in.scannedMtime = mtimeNanos(in);
    }

    /** Brings the backing file up to date in place, before an open is answered; the inode's lock is not held. */
    void update(OpenInode in) {
        long size = in.size();
        reader.fetch(in, 0, size, size);
        if (!in.file().absent(0, size).isEmpty()) {
            throw new ErrnoException(
                    Errno.EIO, "the cache has no room for inode " + in.inode + ", which the kernel reads directly");
        }
    }

    Opened open(OpenInode in, long handle, boolean writer) {
        in.file().fitTo(in.size());
        return new Opened(handle | FileSystem.HANDLE_PASSTHROUGH, false, writer, in.backingId);
    }

    /** The last open is gone, or the kernel has forgotten the inode. */
    void end(OpenInode in) {
        if (in.mode == Mode.PASSTHROUGH) {
            in.file().unpin();
            kernel.closeBacking(in.inode, in.backingId);
            in.backingId = 0;
        }
        in.mode = Mode.UNDECIDED;
    }

    /** Looks for bytes that came in through a writable mapping, and makes them dirty. */
    void findMappedWrites(OpenInode in) {
        if (in.mode != Mode.PASSTHROUGH || in.writers == 0 && !in.inherited || mtimeNanos(in) == in.scannedMtime) {
            return;
        }
        // Write-protects the mapped pages: a store after this moves the mtime again.
        in.file().force();
        long mtime = mtimeNanos(in);
        long found = 0;
        revalidation.attributes(in);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment frame = arena.allocate(FrameTable.MAX_FRAME_BYTES);
            long size = in.size();
            for (long at = 0; at < size; at += SCANNED_AT_ONCE) {
                found += scan(in, at, Math.min(size, at + SCANNED_AT_ONCE), frame);
            }
        }
        in.scannedMtime = mtime;
        if (found > 0) {
            dirtiness.wrote(
                    in,
                    0,
                    new FileTime(Math.floorDiv(mtime, 1_000_000_000L), (int) Math.floorMod(mtime, 1_000_000_000L)),
                    false);
            in.appendOnly = false;
        }
    }

    private long scan(OpenInode in, long from, long to, MemorySegment frame) {
        long found = 0;
        long at = from;
        for (Extent extent : revalidation.extents(in, from, to)) {
            if (extent.kind() == ExtentKind.UNWRITTEN) {
                continue;
            }
            found += scanHole(in, at, Math.min(to, extent.offset()), frame);
            found += scanExtent(in, extent, from, to, frame);
            at = Math.max(at, extent.end());
        }
        return found + scanHole(in, at, to, frame);
    }

    private long scanHole(OpenInode in, long from, long to, MemorySegment frame) {
        long found = 0;
        for (long at = from; at < to; at += frame.byteSize()) {
            MemorySegment bytes = frame.asSlice(0, Math.min(frame.byteSize(), to - at));
            if (in.file().read(at, bytes) && !isZero(bytes)) {
                found += mark(in, at, bytes.byteSize());
            }
        }
        return found;
    }

    private static boolean isZero(MemorySegment bytes) {
        for (long i = 0; i < bytes.byteSize(); i++) {
            if (bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** A frame that is only partly in the extent has no checksum of its own: it counts as changed. */
    private long scanExtent(OpenInode in, Extent extent, long from, long to, MemorySegment frame) {
        if (extent.frames() == null) {
            return extent.offset() < from ? 0 : scanPlain(in, extent, frame);
        }
        long found = 0;
        for (FramePart part : FramePart.of(extent)) {
            if (part.offset() < from || part.offset() >= to) {
                continue; // with the bytes before, or after
            }
            MemorySegment bytes = frame.asSlice(0, part.length());
            if (in.file().read(part.offset(), bytes) && !part.is(bytes)) {
                found += mark(in, part.offset(), part.length());
            }
        }
        return found;
    }

    private static long scanPlain(OpenInode in, Extent extent, MemorySegment frame) {
        MemorySegment bytes = frame.asSlice(0, extent.length());
        boolean changed =
                in.file().read(extent.offset(), bytes) && bytes.mismatch(MemorySegment.ofArray(extent.data())) >= 0;
        return changed ? mark(in, extent.offset(), extent.length()) : 0;
    }

    private static long mark(OpenInode in, long offset, long length) {
        in.file().markDirty(offset, length);
        in.overwritten(offset, offset + length);
        return length;
    }

    /** Through /proc: the name of the cache file is the cache's own. */
    static long mtimeNanos(OpenInode in) {
        try {
            return Files.getLastModifiedTime(
                            Path.of("/proc/self/fd/" + in.file().descriptor()))
                    .to(TimeUnit.NANOSECONDS);
        } catch (IOException e) {
            throw new ErrnoException(Errno.EIO, "cannot stat the cache file of inode " + in.inode, e);
        }
    }
}
