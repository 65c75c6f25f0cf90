package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.objects.SegmentStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Writes into the cache file; whole segments are uploaded while a file grows. */
final class ContentWriter {
    private final Revalidation revalidation;
    private final Uploader uploader;
    private final Committer committer;
    private final Dirtiness dirtiness;
    private final Quota quota;

    ContentWriter(Revalidation revalidation, Uploader uploader, Committer committer, Dirtiness dirtiness, Quota quota) {
        this.revalidation = revalidation;
        this.uploader = uploader;
        this.committer = committer;
        this.dirtiness = dirtiness;
        this.quota = quota;
    }

    /** @param append at the end of the file, wherever the kernel thinks that is */
    int write(Op op, OpenInode in, long offset, MemorySegment from, boolean append, boolean killSuidgid) {
        int length = (int) from.byteSize();
        if (length == 0) {
            return 0;
        }
        dirtiness.awaitRoom();
        try {
            writeOnce(op, in, offset, from, append, killSuidgid);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOSPC) {
                throw e;
            }
            committer.commit(in);
            writeOnce(op, in, offset, from, append, killSuidgid);
        }
        return length;
    }

    private void writeOnce(Op op, OpenInode in, long kernelOffset, MemorySegment from, boolean append, boolean kill) {
        long length = from.byteSize();
        in.lock.lock();
        try {
            if (in.attributes == null || in.gone) {
                revalidation.attributes(in);
            }
            long size = in.size();
            if (append && op.resent() && isApplied(in, kernelOffset, from, size)) {
                return;
            }
            long offset = append ? size : kernelOffset;
            if (offset < 0 || offset > Long.MAX_VALUE - length) {
                throw new ErrnoException(Errno.EFBIG);
            }
            reserve(in, offset, length, size);
            noteAppend(in, offset, append, size);
            in.file().write(offset, from);
            in.overwritten(offset, offset + length);
            in.known.trust(offset, offset + length);
            dirtiness.wrote(in, offset + length > in.attributes.size() ? offset + length : 0, FileTime.now(), kill);
            uploadRun(in, offset, length);
        } finally {
            in.lock.unlock();
        }
    }

    /** The kernel named the end of the file as it was before the first try: are the bytes there already? */
    private static boolean isApplied(OpenInode in, long kernelOffset, MemorySegment from, long size) {
        if (size < kernelOffset + from.byteSize()) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment there = arena.allocate(from.byteSize());
            return in.file().read(kernelOffset, there) && there.mismatch(from) < 0;
        }
    }

    private void reserve(OpenInode in, long offset, long length, long size) {
        long beyond = Math.max(0, offset + length - Math.max(size, offset));
        boolean holes = in.attributes.allocated() < in.attributes.size();
        long growth = holes ? length : beyond;
        if (growth > 0) {
            quota.grow(growth, 0);
            in.reservedFrom = in.reserved == 0 ? in.attributes.allocated() : in.reservedFrom;
            in.reserved += growth;
        }
    }

    private static void noteAppend(OpenInode in, long offset, boolean append, long size) {
        if (in.pending == null) {
            in.appendOnly = append;
        } else if (!append || offset != size) {
            in.appendOnly = false;
        }
    }

    private void uploadRun(OpenInode in, long offset, long length) {
        if (offset != in.runEnd) {
            in.runStart = offset;
        }
        in.runEnd = offset + length;
        while (in.runEnd - in.runStart >= SegmentStore.MAX_SEGMENT_BYTES) {
            uploader.start(in, List.of(new Range(in.runStart, SegmentStore.MAX_SEGMENT_BYTES)));
            in.runStart += SegmentStore.MAX_SEGMENT_BYTES;
        }
    }
}
