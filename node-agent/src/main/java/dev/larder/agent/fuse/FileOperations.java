package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.Wire.BatchForgetIn;
import dev.larder.linux.fuse.Wire.CopyFileRangeIn;
import dev.larder.linux.fuse.Wire.CopyFileRangeOut;
import dev.larder.linux.fuse.Wire.FallocateIn;
import dev.larder.linux.fuse.Wire.FileLock;
import dev.larder.linux.fuse.Wire.FlushIn;
import dev.larder.linux.fuse.Wire.ForgetIn;
import dev.larder.linux.fuse.Wire.ForgetOne;
import dev.larder.linux.fuse.Wire.FsyncIn;
import dev.larder.linux.fuse.Wire.GetattrIn;
import dev.larder.linux.fuse.Wire.Kstatfs;
import dev.larder.linux.fuse.Wire.LkIn;
import dev.larder.linux.fuse.Wire.LseekIn;
import dev.larder.linux.fuse.Wire.LseekOut;
import dev.larder.linux.fuse.Wire.OpenIn;
import dev.larder.linux.fuse.Wire.ReadIn;
import dev.larder.linux.fuse.Wire.ReleaseIn;
import dev.larder.linux.fuse.Wire.SetattrIn;
import dev.larder.linux.fuse.Wire.WriteIn;
import dev.larder.linux.fuse.Wire.WriteOut;
import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Cancellation;
import dev.larder.volume.FileTime;
import dev.larder.volume.SetAttributes;
import java.lang.foreign.MemorySegment;

/** Decodes requests about inodes, their content and their locks, and encodes what the file system answers. */
final class FileOperations {
    private static final int O_TRUNC = 0x200;
    private static final int SUID_SGID = 06000;
    private static final int PERMISSIONS = 07777;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int BLOCK = 4096;
    private static final long UNLIMITED_BYTES = 1L << 50;
    private static final long UNLIMITED_INODES = 1L << 32;

    /** MAX_RW_COUNT of the kernel: the most that the 32-bit answer to COPY_FILE_RANGE may say. */
    private static final long MAX_COPY = 0x7ffff000L;

    private final FileSystem fileSystem;
    private final FuseKernel kernel;

    FileOperations(FileSystem fileSystem, FuseKernel kernel) {
        this.fileSystem = fileSystem;
        this.kernel = kernel;
    }

    void forget(Request request) {
        forget(request.nodeid(), request.int64(ForgetIn.NLOOKUP));
    }

    void batchForget(Request request) {
        int count = request.int32(BatchForgetIn.COUNT);
        for (int i = 0; i < count; i++) {
            int at = BatchForgetIn.BYTES + i * ForgetOne.BYTES;
            forget(request.int64(at + ForgetOne.NODEID), request.int64(at + ForgetOne.NLOOKUP));
        }
    }

    private void forget(long inode, long lookups) {
        kernel.forgotten(inode, lookups);
        fileSystem.forget(inode, lookups);
    }

    void getattr(Request request, Reply reply) {
        request.int32(GetattrIn.GETATTR_FLAGS);
        Attributes attributes = fileSystem.attributes(request.caller(), request.nodeid());
        reply.attr(attributes, fileSystem.kernelTimeoutMillis());
    }

    void statx(Request request, Reply reply) {
        Attributes attributes = fileSystem.attributes(request.caller(), request.nodeid());
        reply.statx(attributes, fileSystem.kernelTimeoutMillis());
    }

    void setattr(Request request, Reply reply) {
        int valid = request.int32(SetattrIn.VALID);
        long handle = has(valid, FuseFlags.FATTR_FH) ? request.int64(SetattrIn.FH) : 0;
        Attributes attributes = fileSystem.setAttributes(
                request.op(), request.caller(), request.nodeid(), handle, change(request, valid));
        reply.attr(attributes, fileSystem.kernelTimeoutMillis());
    }

    /**
     * With HANDLE_KILLPRIV_V2 the kernel leaves it to the server to clear set-user-id and set-group-id: chown(2) always
     * does, and before a write by someone without CAP_FSETID the kernel sends a SETATTR that changes nothing else
     * (file_remove_privs of fs/inode.c), whose reply is where it learns the new mode from.
     */
    private static SetAttributes change(Request request, int valid) {
        FileTime now = FileTime.now();
        boolean nothingElse = (valid & ~(FuseFlags.FATTR_FH | FuseFlags.FATTR_LOCKOWNER)) == 0;
        boolean owner = has(valid, FuseFlags.FATTR_UID | FuseFlags.FATTR_GID);
        return new SetAttributes(
                has(valid, FuseFlags.FATTR_MODE) ? request.int32(SetattrIn.MODE) & PERMISSIONS : null,
                has(valid, FuseFlags.FATTR_UID) ? (Long) request.uint32(SetattrIn.UID) : null,
                has(valid, FuseFlags.FATTR_GID) ? (Long) request.uint32(SetattrIn.GID) : null,
                has(valid, FuseFlags.FATTR_SIZE) ? (Long) request.position(SetattrIn.SIZE) : null,
                has(valid, FuseFlags.FATTR_ATIME_NOW)
                        ? now
                        : time(request, valid, FuseFlags.FATTR_ATIME, SetattrIn.ATIME, SetattrIn.ATIMENSEC),
                has(valid, FuseFlags.FATTR_MTIME_NOW)
                        ? now
                        : time(request, valid, FuseFlags.FATTR_MTIME, SetattrIn.MTIME, SetattrIn.MTIMENSEC),
                now,
                owner || nothingElse || has(valid, FuseFlags.FATTR_KILL_SUIDGID));
    }

    private static FileTime time(Request request, int valid, int flag, int seconds, int nanos) {
        return has(valid, flag) ? new FileTime(request.int64(seconds), request.int32(nanos)) : null;
    }

    private static boolean has(int valid, int flags) {
        return (valid & flags) != 0;
    }

    void open(Request request, Reply reply) {
        int flags = request.int32(OpenIn.FLAGS);
        boolean kill = has(request.int32(OpenIn.OPEN_FLAGS), FuseFlags.OPEN_KILL_SUIDGID);
        if (kill && has(flags, O_TRUNC)) {
            clearSuidSgid(request);
        }
        reply.opened(fileSystem.open(request.op(), request.caller(), request.nodeid(), flags));
    }

    /** A truncating open by an ordinary user; seldom is there a bit to clear. */
    private void clearSuidSgid(Request request) {
        int mode = fileSystem.attributes(request.caller(), request.nodeid()).mode();
        if ((mode & SUID_SGID) != 0) {
            SetAttributes change = new SetAttributes(null, null, null, null, null, null, FileTime.now(), true);
            fileSystem.setAttributes(request.op().step(1), request.caller(), request.nodeid(), 0, change);
        }
    }

    /** The file system reads straight into the reply. */
    void read(Request request, Reply reply) {
        MemorySegment into = reply.room(request.uint32(ReadIn.SIZE));
        long handle = request.int64(ReadIn.FH);
        long offset = request.position(ReadIn.OFFSET);
        reply.taken(fileSystem.read(request.caller(), request.nodeid(), handle, offset, into));
    }

    void write(Request request, Reply reply) {
        MemorySegment from = request.data(WriteIn.BYTES, request.uint32(WriteIn.SIZE));
        int written = fileSystem.write(
                request.op(),
                request.caller(),
                request.nodeid(),
                request.int64(WriteIn.FH),
                request.position(WriteIn.OFFSET),
                from,
                has(request.int32(WriteIn.WRITE_FLAGS), FuseFlags.WRITE_KILL_SUIDGID));
        reply.append(WriteOut.BYTES).set(JAVA_INT, WriteOut.SIZE, written);
    }

    void flush(Request request) {
        long owner = request.int64(FlushIn.LOCK_OWNER);
        fileSystem.flush(request.op(), request.caller(), request.nodeid(), request.int64(FlushIn.FH), owner);
    }

    void release(Request request) {
        fileSystem.release(
                request.nodeid(),
                request.int64(ReleaseIn.FH),
                request.int64(ReleaseIn.LOCK_OWNER),
                has(request.int32(ReleaseIn.RELEASE_FLAGS), FuseFlags.RELEASE_FLOCK_UNLOCK));
    }

    void fsync(Request request) {
        boolean dataOnly = has(request.int32(FsyncIn.FSYNC_FLAGS), FuseFlags.FSYNC_FDATASYNC);
        fileSystem.fsync(request.caller(), request.nodeid(), request.int64(FsyncIn.FH), dataOnly);
    }

    void fallocate(Request request) {
        fileSystem.fallocate(
                request.op(),
                request.caller(),
                request.nodeid(),
                request.int64(FallocateIn.FH),
                request.position(FallocateIn.OFFSET),
                request.position(FallocateIn.LENGTH),
                request.int32(FallocateIn.MODE));
    }

    void lseek(Request request, Reply reply) {
        int whence = request.int32(LseekIn.WHENCE);
        if (whence != SEEK_DATA && whence != SEEK_HOLE) {
            throw new ErrnoException(Errno.EINVAL);
        }
        long handle = request.int64(LseekIn.FH);
        long offset = request.int64(LseekIn.OFFSET);
        if (offset < 0) {
            throw new ErrnoException(Errno.ENXIO);
        }
        long found = fileSystem.seek(request.caller(), request.nodeid(), handle, offset, whence);
        reply.append(LseekOut.BYTES).set(JAVA_LONG, LseekOut.OFFSET, found);
    }

    void copyFileRange(Request request, Reply reply, boolean wide) {
        if (request.int64(CopyFileRangeIn.FLAGS) != 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        long length = request.position(CopyFileRangeIn.LEN);
        long copied = fileSystem.copyFileRange(
                request.op(),
                request.caller(),
                request.nodeid(),
                request.position(CopyFileRangeIn.OFF_IN),
                request.int64(CopyFileRangeIn.NODEID_OUT),
                request.position(CopyFileRangeIn.OFF_OUT),
                wide ? length : Math.min(length, MAX_COPY));
        if (wide) {
            reply.append(CopyFileRangeOut.BYTES).set(JAVA_LONG, CopyFileRangeOut.BYTES_COPIED, copied);
        } else {
            reply.append(WriteOut.BYTES).set(JAVA_INT, WriteOut.SIZE, (int) copied);
        }
    }

    void getlk(Request request, Reply reply) {
        FileSystem.FileLock wanted = lock(request);
        FileSystem.FileLock inTheWay = fileSystem.testLock(request.nodeid(), wanted);
        MemorySegment out = reply.append(FileLock.BYTES);
        out.set(JAVA_INT, FileLock.TYPE, FileSystem.FileLock.UNLOCK);
        if (inTheWay != null) {
            out.set(JAVA_LONG, FileLock.START, inTheWay.start());
            out.set(JAVA_LONG, FileLock.END, inTheWay.end());
            out.set(JAVA_INT, FileLock.TYPE, inTheWay.type());
            out.set(JAVA_INT, FileLock.PID, inTheWay.pid());
        }
    }

    void setlk(Request request, boolean wait, Cancellation cancel) {
        fileSystem.setLock(request.op(), request.nodeid(), lock(request), wait, cancel);
    }

    private static FileSystem.FileLock lock(Request request) {
        return new FileSystem.FileLock(
                request.int64(LkIn.OWNER),
                request.int32(LkIn.LK + FileLock.PID),
                request.int32(LkIn.LK + FileLock.TYPE),
                request.position(LkIn.LK + FileLock.START),
                request.position(LkIn.LK + FileLock.END),
                has(request.int32(LkIn.LK_FLAGS), FuseFlags.LK_FLOCK));
    }

    /** Without a quota df(1) shows 1 PiB and 4 G inodes free. */
    void statfs(Reply reply) {
        FileSystem.Usage usage = fileSystem.statfs();
        long bytes = usage.quotaBytes() == 0 ? usage.usedBytes() + UNLIMITED_BYTES : usage.quotaBytes();
        long inodes = usage.quotaInodes() == 0 ? usage.usedInodes() + UNLIMITED_INODES : usage.quotaInodes();
        long freeBlocks = Math.max(0, bytes - usage.usedBytes()) / BLOCK;
        MemorySegment out = reply.append(Kstatfs.BYTES);
        out.set(JAVA_LONG, Kstatfs.BLOCKS, bytes / BLOCK);
        out.set(JAVA_LONG, Kstatfs.BFREE, freeBlocks);
        out.set(JAVA_LONG, Kstatfs.BAVAIL, freeBlocks);
        out.set(JAVA_LONG, Kstatfs.FILES, inodes);
        out.set(JAVA_LONG, Kstatfs.FFREE, Math.max(0, inodes - usage.usedInodes()));
        out.set(JAVA_INT, Kstatfs.BSIZE, BLOCK);
        out.set(JAVA_INT, Kstatfs.FRSIZE, BLOCK);
        out.set(JAVA_INT, Kstatfs.NAMELEN, FileName.MAX_BYTES);
    }
}
