package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.cache.CachedFile.Range;
import dev.larder.volume.objects.SegmentStore;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/** Writes into the cache file; whole segments are uploaded while a file grows. */
final class ContentWriter {
    private final Revalidation revalidation;
    private final Uploader uploader;
    private final Committer committer;
    private final Dirtiness dirtiness;
    private final Quota quota;
    private final Supplier<UUID> session;

    ContentWriter(
            Supplier<UUID> session,
            Revalidation revalidation,
            Uploader uploader,
            Committer committer,
            Dirtiness dirtiness,
            Quota quota) {
        this.session = session;
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
        long tag = tag(op);
        in.lock.lock();
        try {
            if (op.resent() && in.file().wasWritten(tag)) {
                return;
            }
            if (in.attributes == null || in.gone) {
                revalidation.attributes(in);
            }
            long size = in.size();
            long offset = append ? size : kernelOffset;
            if (offset < 0 || offset > Long.MAX_VALUE - length) {
                throw new ErrnoException(Errno.EFBIG);
            }
            reserve(in, offset, length, size);
            noteAppend(in, offset, append, size);
            in.file().write(offset, from, tag);
            in.overwritten(offset, offset + length);
            in.known.trust(offset, offset + length);
            dirtiness.wrote(in, offset + length > in.attributes.size() ? offset + length : 0, FileTime.now(), kill);
            uploadRun(in, offset, length);
        } finally {
            in.lock.unlock();
        }
    }

    /** Names the request among those of this mount: the session is the mount's, also after its server died. */
    private long tag(Op op) {
        return op.id() == 0 ? 0 : session.get().getLeastSignificantBits() * 31 + op.id();
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
