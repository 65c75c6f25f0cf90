package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;

/**
 * Writes each operation, its outcome and how long it took into an {@link AccessLog} while somebody reads that, and tells
 * before each one that the volume is used; what the kernel gives back is no use.
 */
final class LoggedFileSystem implements FileSystem {
    private final FileSystem next;
    private final AccessLog log;
    private final Runnable used;

    /** @param used told before each operation; what it throws is the operation's failure */
    LoggedFileSystem(FileSystem next, AccessLog log, Runnable used) {
        this.next = next;
        this.log = log;
        this.used = used;
    }

    private <T> T logged(String operation, Caller caller, long inode, FileName name, Supplier<T> body) {
        used.run();
        return timed(operation, caller, inode, name, body);
    }

    private <T> T timed(String operation, Caller caller, long inode, FileName name, Supplier<T> body) {
        if (!log.active()) {
            return body.get();
        }
        long began = System.nanoTime();
        String outcome = "ok";
        try {
            return body.get();
        } catch (ErrnoException e) {
            outcome = e.errno().name();
            throw e;
        } finally {
            log.add(operation, caller, inode, name, outcome, System.nanoTime() - began);
        }
    }

    private void log(String operation, Caller caller, long inode, FileName name, Runnable body) {
        logged(operation, caller, inode, name, () -> {
            body.run();
            return null;
        });
    }

    private void givenBack(String operation, long inode, Runnable body) {
        timed(operation, Caller.ROOT, inode, null, () -> {
            body.run();
            return null;
        });
    }

    @Override
    public long kernelTimeoutMillis() {
        return next.kernelTimeoutMillis();
    }

    @Override
    public void sync() {
        log("sync", Caller.ROOT, Attributes.ROOT, null, next::sync);
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
        return logged("lookup", caller, parent, name, () -> next.lookup(caller, parent, name));
    }

    @Override
    public void forget(long inode, long lookups) {
        givenBack("forget", inode, () -> next.forget(inode, lookups));
    }

    @Override
    public Attributes attributes(Caller caller, long inode) {
        return logged("attributes", caller, inode, null, () -> next.attributes(caller, inode));
    }

    @Override
    public Attributes setAttributes(Op op, Caller caller, long inode, long handle, SetAttributes change) {
        return logged(
                "setAttributes", caller, inode, null, () -> next.setAttributes(op, caller, inode, handle, change));
    }

    @Override
    public byte[] readlink(Caller caller, long inode) {
        return logged("readlink", caller, inode, null, () -> next.readlink(caller, inode));
    }

    @Override
    public Attributes mknod(Op op, Caller caller, long parent, FileName name, int mode, long rdev, int umask) {
        return logged("mknod", caller, parent, name, () -> next.mknod(op, caller, parent, name, mode, rdev, umask));
    }

    @Override
    public Attributes symlink(Op op, Caller caller, long parent, FileName name, byte[] target) {
        return logged("symlink", caller, parent, name, () -> next.symlink(op, caller, parent, name, target));
    }

    @Override
    public Attributes link(Op op, Caller caller, long inode, long newParent, FileName newName) {
        return logged("link", caller, inode, newName, () -> next.link(op, caller, inode, newParent, newName));
    }

    @Override
    public void unlink(Op op, Caller caller, long parent, FileName name) {
        log("unlink", caller, parent, name, () -> next.unlink(op, caller, parent, name));
    }

    @Override
    public void rmdir(Op op, Caller caller, long parent, FileName name) {
        log("rmdir", caller, parent, name, () -> next.rmdir(op, caller, parent, name));
    }

    @Override
    public void rename(Op op, Caller caller, long parent, FileName name, long newParent, FileName newName, int flags) {
        log("rename", caller, parent, name, () -> next.rename(op, caller, parent, name, newParent, newName, flags));
    }

    @Override
    public Opened open(Op op, Caller caller, long inode, int flags) {
        return logged("open", caller, inode, null, () -> next.open(op, caller, inode, flags));
    }

    @Override
    public Created create(Op op, Caller caller, long parent, FileName name, int mode, int umask, int flags) {
        return logged("create", caller, parent, name, () -> next.create(op, caller, parent, name, mode, umask, flags));
    }

    @Override
    public Created tmpfile(Op op, Caller caller, long parent, int mode, int umask, int flags) {
        return logged("tmpfile", caller, parent, null, () -> next.tmpfile(op, caller, parent, mode, umask, flags));
    }

    @Override
    public int read(Caller caller, long inode, long handle, long offset, MemorySegment into) {
        return logged("read", caller, inode, null, () -> next.read(caller, inode, handle, offset, into));
    }

    @Override
    public int write(
            Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid) {
        return logged(
                "write", caller, inode, null, () -> next.write(op, caller, inode, handle, offset, from, killSuidgid));
    }

    @Override
    public void flush(Op op, Caller caller, long inode, long handle, long lockOwner) {
        log("flush", caller, inode, null, () -> next.flush(op, caller, inode, handle, lockOwner));
    }

    @Override
    public void release(long inode, long handle, long lockOwner, boolean unlockFlock) {
        givenBack("release", inode, () -> next.release(inode, handle, lockOwner, unlockFlock));
    }

    @Override
    public void fsync(Caller caller, long inode, long handle, boolean dataOnly) {
        log("fsync", caller, inode, null, () -> next.fsync(caller, inode, handle, dataOnly));
    }

    @Override
    public void fsyncDirectory(Caller caller, long inode) {
        log("fsyncDirectory", caller, inode, null, () -> next.fsyncDirectory(caller, inode));
    }

    @Override
    public void fallocate(Op op, Caller caller, long inode, long handle, long offset, long length, int mode) {
        log("fallocate", caller, inode, null, () -> next.fallocate(op, caller, inode, handle, offset, length, mode));
    }

    @Override
    public long seek(Caller caller, long inode, long handle, long offset, int whence) {
        return logged("seek", caller, inode, null, () -> next.seek(caller, inode, handle, offset, whence));
    }

    @Override
    public long copyFileRange(Op op, Caller caller, long inode, long offset, long toInode, long toOffset, long length) {
        return logged(
                "copyFileRange",
                caller,
                inode,
                null,
                () -> next.copyFileRange(op, caller, inode, offset, toInode, toOffset, length));
    }

    @Override
    public void list(Caller caller, long inode, long afterCookie, boolean withAttributes, DirectorySink sink) {
        log("list", caller, inode, null, () -> next.list(caller, inode, afterCookie, withAttributes, sink));
    }

    @Override
    public byte[] getXattr(Caller caller, long inode, FileName name) {
        return logged("getXattr", caller, inode, name, () -> next.getXattr(caller, inode, name));
    }

    @Override
    public List<FileName> listXattr(Caller caller, long inode) {
        return logged("listXattr", caller, inode, null, () -> next.listXattr(caller, inode));
    }

    @Override
    public void setXattr(Op op, Caller caller, long inode, FileName name, byte[] value, int flags, boolean killSgid) {
        log("setXattr", caller, inode, name, () -> next.setXattr(op, caller, inode, name, value, flags, killSgid));
    }

    @Override
    public void removeXattr(Op op, Caller caller, long inode, FileName name) {
        log("removeXattr", caller, inode, name, () -> next.removeXattr(op, caller, inode, name));
    }

    @Override
    public FileLock testLock(long inode, FileLock wanted) {
        return logged("testLock", Caller.ROOT, inode, null, () -> next.testLock(inode, wanted));
    }

    @Override
    public void setLock(Op op, long inode, FileLock lock, boolean wait, Cancellation cancel) {
        log("setLock", Caller.ROOT, inode, null, () -> next.setLock(op, inode, lock, wait, cancel));
    }
}
