package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The hidden directory {@code .larder} at the root: stats, accesslog and config, read-only, made up as they are read. Not
 * listed with the root; found by name, like JuiceFS' dotfiles. Everything else goes to the volume.
 */
final class VirtualFiles implements FileSystem {
    static final FileName DIRECTORY_NAME = FileName.of(".larder");

    static final long DIRECTORY = Long.MAX_VALUE - 1;
    static final long STATS = Long.MAX_VALUE - 2;
    static final long ACCESSLOG = Long.MAX_VALUE - 3;
    static final long CONFIG = Long.MAX_VALUE - 4;

    private static final List<FileName> NAMES =
            List.of(FileName.of("stats"), FileName.of("accesslog"), FileName.of("config"));
    private static final int O_ACCMODE = 3;
    private static final int DIRECTORY_MODE = Attributes.S_IFDIR | 0555;
    private static final int FILE_MODE = Attributes.S_IFREG | 0400;
    private static final long ACCESSLOG_WAIT_MILLIS = 1_000;
    private static final int HANDLE_SHIFT = 8;

    private final FileSystem next;
    private final Supplier<String> stats;
    private final Supplier<String> config;
    private final AccessLog log;
    private final FileTime began = FileTime.now();
    private final AtomicLong handles = new AtomicLong();
    private final ConcurrentHashMap<Long, Long> positions = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Long, byte[]> snapshots = new ConcurrentHashMap<>();

    /** @param config the volume's configuration, without secrets */
    VirtualFiles(FileSystem next, Supplier<String> stats, Supplier<String> config, AccessLog log) {
        this.next = next;
        this.stats = stats;
        this.config = config;
        this.log = log;
    }

    private static boolean isVirtual(long inode) {
        return inode >= CONFIG;
    }

    private static void notVirtual(long inode, Errno otherwise) {
        if (isVirtual(inode)) {
            throw new ErrnoException(otherwise);
        }
    }

    private static long byName(FileName name) {
        int index = NAMES.indexOf(name);
        if (index < 0) {
            throw new ErrnoException(Errno.ENOENT);
        }
        return STATS - index;
    }

    private Attributes virtualAttributes(long inode) {
        return inode == DIRECTORY ? directory() : attributesOf(inode);
    }

    private Attributes directory() {
        return made(DIRECTORY, DIRECTORY_MODE, 2, 0);
    }

    private Attributes attributesOf(long inode) {
        return made(inode, FILE_MODE, 1, inode == ACCESSLOG ? 0 : content(inode).length);
    }

    private Attributes made(long inode, int mode, int nlink, long size) {
        long parent = inode == DIRECTORY ? Attributes.ROOT : 0;
        return new Attributes(inode, mode, 0, 0, nlink, 0, size, size, began, began, began, began, 0, 0, parent, 0);
    }

    private byte[] content(long inode) {
        return (inode == STATS ? stats : config).get().getBytes(StandardCharsets.UTF_8);
    }

    private Opened openVirtual(long inode, int flags) {
        if ((flags & O_ACCMODE) != 0) {
            throw new ErrnoException(Errno.EROFS);
        }
        long handle = handles.incrementAndGet() << HANDLE_SHIFT;
        if (inode == ACCESSLOG) {
            positions.put(handle, log.open());
        }
        return new Opened(handle, false, true, 0);
    }

    private int readVirtual(long inode, long handle, long offset, MemorySegment into) {
        if (inode == ACCESSLOG) {
            return readLog(handle, into);
        }
        byte[] bytes = offset == 0 ? content(inode) : snapshots.getOrDefault(inode, new byte[0]);
        snapshots.put(inode, bytes);
        return copy(bytes, offset, into);
    }

    private int readLog(long handle, MemorySegment into) {
        long position = positions.computeIfAbsent(handle, key -> log.open());
        AccessLog.Chunk chunk = log.read(position, ACCESSLOG_WAIT_MILLIS, (int) Math.min(into.byteSize(), 64 << 10));
        positions.replace(handle, position, chunk.next());
        return copy(chunk.bytes(), 0, into);
    }

    private static int copy(byte[] bytes, long offset, MemorySegment into) {
        int count = (int) Math.max(0, Math.min(bytes.length - offset, into.byteSize()));
        if (count > 0) {
            MemorySegment.copy(MemorySegment.ofArray(bytes), offset, into, 0, count);
        }
        return count;
    }

    private void listVirtual(long afterCookie, boolean withAttributes, DirectorySink sink) {
        for (int i = 0; i < NAMES.size(); i++) {
            long cookie = FileName.FIRST_COOKIE + i;
            long inode = STATS - i;
            Attributes attributes = attributesOf(inode);
            if (cookie > afterCookie
                    && !sink.entry(
                            NAMES.get(i), inode, attributes.direntType(), cookie, withAttributes ? attributes : null)) {
                return;
            }
        }
    }

    @Override
    public long kernelTimeoutMillis() {
        return next.kernelTimeoutMillis();
    }

    @Override
    public void sync() {
        next.sync();
    }

    @Override
    public Usage statfs() {
        return next.statfs();
    }

    @Override
    public void close() {
        next.close();
    }

    @Override
    public Attributes lookup(Caller caller, long parent, FileName name) {
        if (parent == Attributes.ROOT && name.equals(DIRECTORY_NAME)) {
            return directory();
        }
        if (parent == DIRECTORY) {
            return attributesOf(byName(name));
        }
        notVirtual(parent, Errno.ENOENT);
        return next.lookup(caller, parent, name);
    }

    @Override
    public void forget(long inode, long lookups) {
        if (!isVirtual(inode)) {
            next.forget(inode, lookups);
        }
    }

    @Override
    public Attributes attributes(Caller caller, long inode) {
        return isVirtual(inode) ? virtualAttributes(inode) : next.attributes(caller, inode);
    }

    @Override
    public Attributes setAttributes(Op op, Caller caller, long inode, long handle, SetAttributes change) {
        notVirtual(inode, Errno.EROFS);
        return next.setAttributes(op, caller, inode, handle, change);
    }

    @Override
    public byte[] readlink(Caller caller, long inode) {
        notVirtual(inode, Errno.EINVAL);
        return next.readlink(caller, inode);
    }

    @Override
    public Attributes mknod(Op op, Caller caller, long parent, FileName name, int mode, long rdev, int umask) {
        notVirtual(parent, Errno.EROFS);
        return next.mknod(op, caller, parent, name, mode, rdev, umask);
    }

    @Override
    public Attributes symlink(Op op, Caller caller, long parent, FileName name, byte[] target) {
        notVirtual(parent, Errno.EROFS);
        return next.symlink(op, caller, parent, name, target);
    }

    @Override
    public Attributes link(Op op, Caller caller, long inode, long newParent, FileName newName) {
        notVirtual(inode, Errno.EROFS);
        notVirtual(newParent, Errno.EROFS);
        return next.link(op, caller, inode, newParent, newName);
    }

    @Override
    public void unlink(Op op, Caller caller, long parent, FileName name) {
        notVirtual(parent, Errno.EROFS);
        next.unlink(op, caller, parent, name);
    }

    @Override
    public void rmdir(Op op, Caller caller, long parent, FileName name) {
        notVirtual(parent, Errno.EROFS);
        next.rmdir(op, caller, parent, name);
    }

    @Override
    public void rename(Op op, Caller caller, long parent, FileName name, long newParent, FileName newName, int flags) {
        notVirtual(parent, Errno.EROFS);
        notVirtual(newParent, Errno.EROFS);
        next.rename(op, caller, parent, name, newParent, newName, flags);
    }

    @Override
    public Opened open(Op op, Caller caller, long inode, int flags) {
        return isVirtual(inode) ? openVirtual(inode, flags) : next.open(op, caller, inode, flags);
    }

    @Override
    public Created create(Op op, Caller caller, long parent, FileName name, int mode, int umask, int flags) {
        notVirtual(parent, Errno.EROFS);
        return next.create(op, caller, parent, name, mode, umask, flags);
    }

    @Override
    public Created tmpfile(Op op, Caller caller, long parent, int mode, int umask, int flags) {
        notVirtual(parent, Errno.EROFS);
        return next.tmpfile(op, caller, parent, mode, umask, flags);
    }

    @Override
    public int read(Caller caller, long inode, long handle, long offset, MemorySegment into) {
        return isVirtual(inode)
                ? readVirtual(inode, handle, offset, into)
                : next.read(caller, inode, handle, offset, into);
    }

    @Override
    public int write(
            Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid) {
        notVirtual(inode, Errno.EROFS);
        return next.write(op, caller, inode, handle, offset, from, killSuidgid);
    }

    @Override
    public void flush(Op op, Caller caller, long inode, long handle, long lockOwner) {
        if (!isVirtual(inode)) {
            next.flush(op, caller, inode, handle, lockOwner);
        }
    }

    @Override
    public void release(long inode, long handle, long lockOwner, boolean unlockFlock) {
        if (!isVirtual(inode)) {
            next.release(inode, handle, lockOwner, unlockFlock);
        } else if (inode == ACCESSLOG && positions.remove(handle) != null) {
            log.close();
        }
    }

    @Override
    public void fsync(Caller caller, long inode, long handle, boolean dataOnly) {
        if (!isVirtual(inode)) {
            next.fsync(caller, inode, handle, dataOnly);
        }
    }

    @Override
    public void fsyncDirectory(Caller caller, long inode) {
        if (!isVirtual(inode)) {
            next.fsyncDirectory(caller, inode);
        }
    }

    @Override
    public void fallocate(Op op, Caller caller, long inode, long handle, long offset, long length, int mode) {
        notVirtual(inode, Errno.EROFS);
        next.fallocate(op, caller, inode, handle, offset, length, mode);
    }

    @Override
    public long seek(Caller caller, long inode, long handle, long offset, int whence) {
        notVirtual(inode, Errno.EINVAL);
        return next.seek(caller, inode, handle, offset, whence);
    }

    @Override
    public long copyFileRange(Op op, Caller caller, long inode, long offset, long toInode, long toOffset, long length) {
        notVirtual(inode, Errno.EINVAL);
        notVirtual(toInode, Errno.EROFS);
        return next.copyFileRange(op, caller, inode, offset, toInode, toOffset, length);
    }

    @Override
    public void list(Caller caller, long inode, long afterCookie, boolean withAttributes, DirectorySink sink) {
        if (inode == DIRECTORY) {
            listVirtual(afterCookie, withAttributes, sink);
        } else {
            next.list(caller, inode, afterCookie, withAttributes, sink);
        }
    }

    @Override
    public byte[] getXattr(Caller caller, long inode, FileName name) {
        notVirtual(inode, Errno.ENODATA);
        return next.getXattr(caller, inode, name);
    }

    @Override
    public List<FileName> listXattr(Caller caller, long inode) {
        return isVirtual(inode) ? List.of() : next.listXattr(caller, inode);
    }

    @Override
    public void setXattr(Op op, Caller caller, long inode, FileName name, byte[] value, int flags, boolean killSgid) {
        notVirtual(inode, Errno.EROFS);
        next.setXattr(op, caller, inode, name, value, flags, killSgid);
    }

    @Override
    public void removeXattr(Op op, Caller caller, long inode, FileName name) {
        notVirtual(inode, Errno.EROFS);
        next.removeXattr(op, caller, inode, name);
    }

    @Override
    public FileLock testLock(long inode, FileLock wanted) {
        notVirtual(inode, Errno.EINVAL);
        return next.testLock(inode, wanted);
    }

    @Override
    public void setLock(Op op, long inode, FileLock lock, boolean wait, Cancellation cancel) {
        notVirtual(inode, Errno.EINVAL);
        next.setLock(op, inode, lock, wait, cancel);
    }
}
