package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.larder.linux.LinuxFile;
import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileTime;
import dev.larder.volume.Kernel;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A file system in memory under one lock: enough of one to run a shell on. */
class MemoryFileSystem implements FileSystem {
    static final class Node {
        Attributes attributes;
        byte[] content = new byte[0];
        final TreeMap<FileName, Node> children = new TreeMap<>();
        final Map<FileName, byte[]> xattrs = new HashMap<>();
        FileLock lock;
        /** Descriptor that passthrough opens use, or -1. */
        int backingDescriptor = -1;

        int backingId;
    }

    final Map<Long, Node> nodes = new ConcurrentHashMap<>();
    final AtomicInteger lookups = new AtomicInteger();
    final AtomicInteger lists = new AtomicInteger();
    final AtomicInteger waitingForLocks = new AtomicInteger();
    private final AtomicLong nextInode = new AtomicLong(1);
    private final Kernel kernel;
    volatile long timeoutMillis;
    volatile boolean directIo;

    MemoryFileSystem(Kernel kernel) {
        this.kernel = kernel;
        newNode(Attributes.S_IFDIR | 0755, Caller.ROOT, 0, 1);
    }

    synchronized Node newNode(int mode, Caller caller, long rdev, long parent) {
        Node node = new Node();
        FileTime now = FileTime.now();
        boolean directory = (mode & Attributes.S_IFMT) == Attributes.S_IFDIR;
        node.attributes = new Attributes(
                nextInode.getAndIncrement(),
                mode,
                caller.uid(),
                caller.gid(),
                directory ? 2 : 1,
                rdev,
                0,
                0,
                now,
                now,
                now,
                now,
                1,
                1,
                directory ? parent : 0,
                0);
        nodes.put(node.attributes.inode(), node);
        return node;
    }

    synchronized Node add(long parent, String name, byte[] content) {
        Node node = newNode(Attributes.S_IFREG | 0644, Caller.ROOT, 0, parent);
        setContent(node, content);
        node(parent).children.put(FileName.of(name), node);
        return node;
    }

    synchronized void setContent(Node node, byte[] content) {
        node.content = content;
        change(node, new SetAttributes(null, null, null, null, null, null, FileTime.now(), false));
    }

    private static void change(Node node, SetAttributes c) {
        Attributes a = node.attributes;
        int permissions = c.mode() == null ? a.mode() & 07777 : c.mode();
        long size = (a.mode() & Attributes.S_IFMT) == Attributes.S_IFDIR ? 4096 : node.content.length;
        node.attributes = new Attributes(
                a.inode(),
                (a.mode() & Attributes.S_IFMT) | (c.killSuidgid() ? permissions & ~06000 : permissions),
                c.uid() == null ? a.uid() : c.uid(),
                c.gid() == null ? a.gid() : c.gid(),
                a.nlink(),
                a.rdev(),
                size,
                size,
                c.atime() == null ? a.atime() : c.atime(),
                c.mtime() == null ? a.mtime() : c.mtime(),
                c.ctime(),
                a.btime(),
                a.version() + 1,
                a.generation(),
                a.parent(),
                a.flags());
    }

    private static void links(Node node, int delta) {
        Attributes a = node.attributes;
        node.attributes = new Attributes(
                a.inode(),
                a.mode(),
                a.uid(),
                a.gid(),
                a.nlink() + delta,
                a.rdev(),
                a.size(),
                a.allocated(),
                a.atime(),
                a.mtime(),
                FileTime.now(),
                a.btime(),
                a.version(),
                a.generation(),
                a.parent(),
                a.flags());
    }

    Node node(long inode) {
        Node node = nodes.get(inode);
        if (node == null) {
            throw new ErrnoException(Errno.ESTALE);
        }
        return node;
    }

    private Node child(long parent, FileName name) {
        Node child = node(parent).children.get(name);
        if (child == null) {
            throw new ErrnoException(Errno.ENOENT);
        }
        return child;
    }

    @Override
    public long kernelTimeoutMillis() {
        return timeoutMillis;
    }

    @Override
    public synchronized Attributes lookup(Caller caller, long parent, FileName name) {
        lookups.incrementAndGet();
        return child(parent, name).attributes;
    }

    @Override
    public void forget(long inode, long count) {}

    @Override
    public Attributes attributes(Caller caller, long inode) {
        return node(inode).attributes;
    }

    @Override
    public synchronized Attributes setAttributes(Op op, Caller caller, long inode, long handle, SetAttributes change) {
        Node node = node(inode);
        if (change.size() != null) {
            node.content = java.util.Arrays.copyOf(node.content, Math.toIntExact(change.size()));
        }
        change(node, change);
        return node.attributes;
    }

    @Override
    public byte[] readlink(Caller caller, long inode) {
        return node(inode).content;
    }

    private Attributes attach(long parent, FileName name, Node node) {
        if (node(parent).children.putIfAbsent(name, node) != null) {
            throw new ErrnoException(Errno.EEXIST);
        }
        return node.attributes;
    }

    @Override
    public synchronized Attributes mknod(
            Op op, Caller caller, long parent, FileName name, int mode, long rdev, int umask) {
        return attach(parent, name, newNode(mode & ~umask, caller, rdev, parent));
    }

    @Override
    public synchronized Attributes symlink(Op op, Caller caller, long parent, FileName name, byte[] target) {
        Node node = newNode(Attributes.S_IFLNK | 0777, caller, 0, parent);
        setContent(node, target);
        return attach(parent, name, node);
    }

    @Override
    public synchronized Attributes link(Op op, Caller caller, long inode, long newParent, FileName newName) {
        attach(newParent, newName, node(inode));
        links(node(inode), 1);
        return node(inode).attributes;
    }

    @Override
    public synchronized void unlink(Op op, Caller caller, long parent, FileName name) {
        links(child(parent, name), -1);
        node(parent).children.remove(name);
    }

    @Override
    public synchronized void rmdir(Op op, Caller caller, long parent, FileName name) {
        if (!child(parent, name).children.isEmpty()) {
            throw new ErrnoException(Errno.ENOTEMPTY);
        }
        node(parent).children.remove(name);
    }

    @Override
    public synchronized void rename(
            Op op, Caller caller, long parent, FileName name, long newParent, FileName newName, int flags) {
        Node node = child(parent, name);
        if ((flags & 1) != 0 && node(newParent).children.containsKey(newName)) {
            throw new ErrnoException(Errno.EEXIST);
        }
        node(parent).children.remove(name);
        node(newParent).children.put(newName, node);
    }

    @Override
    public synchronized Opened open(Op op, Caller caller, long inode, int flags) {
        Node node = node(inode);
        if ((flags & 0x200) != 0) {
            setContent(node, new byte[0]);
        }
        if (node.backingDescriptor >= 0 && node.backingId == 0) {
            node.backingId = kernel.openBacking(inode, node.backingDescriptor);
        }
        return new Opened(7, true, directIo && node.backingId == 0, node.backingId);
    }

    @Override
    public synchronized Created create(
            Op op, Caller caller, long parent, FileName name, int mode, int umask, int flags) {
        Node node = newNode(Attributes.S_IFREG | (mode & 07777 & ~umask), caller, 0, parent);
        return new Created(attach(parent, name, node), new Opened(7, false, directIo, 0));
    }

    @Override
    public Created tmpfile(Op op, Caller caller, long parent, int mode, int umask, int flags) {
        Node node = newNode(Attributes.S_IFREG | (mode & 07777 & ~umask), caller, 0, parent);
        links(node, -1);
        return new Created(node.attributes, new Opened(7, false, false, 0));
    }

    @Override
    public int read(Caller caller, long inode, long handle, long offset, MemorySegment into) {
        byte[] content = node(inode).content;
        int count = (int) Math.max(0, Math.min(into.byteSize(), content.length - offset));
        if (count > 0) {
            MemorySegment.copy(content, (int) offset, into, JAVA_BYTE, 0, count);
        }
        return count;
    }

    @Override
    public synchronized int write(
            Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid) {
        Node node = node(inode);
        int end = Math.toIntExact(offset + from.byteSize());
        byte[] content = end > node.content.length ? java.util.Arrays.copyOf(node.content, end) : node.content;
        MemorySegment.copy(from, JAVA_BYTE, 0, content, (int) offset, (int) from.byteSize());
        node.content = content;
        FileTime now = FileTime.now();
        change(node, new SetAttributes(null, null, null, null, null, now, now, killSuidgid));
        return (int) from.byteSize();
    }

    @Override
    public void flush(Op op, Caller caller, long inode, long handle, long lockOwner) {
        unlock(inode, lockOwner);
    }

    @Override
    public void release(long inode, long handle, long lockOwner, boolean unlockFlock) {
        if (unlockFlock) {
            unlock(inode, lockOwner);
        }
    }

    private synchronized void unlock(long inode, long owner) {
        Node node = node(inode);
        if (node.lock != null && node.lock.owner() == owner) {
            node.lock = null;
            notifyAll();
        }
    }

    @Override
    public void fsync(Caller caller, long inode, long handle, boolean dataOnly) {}

    @Override
    public void fsyncDirectory(Caller caller, long inode) {}

    @Override
    public void sync() {}

    @Override
    public void fallocate(Op op, Caller caller, long inode, long handle, long offset, long length, int mode) {
        throw new ErrnoException(Errno.EOPNOTSUPP);
    }

    @Override
    public long seek(Caller caller, long inode, long handle, long offset, int whence) {
        int length = node(inode).content.length;
        if (offset >= length) {
            throw new ErrnoException(Errno.ENXIO);
        }
        return whence == LinuxFile.SEEK_DATA ? offset : length;
    }

    @Override
    public synchronized long copyFileRange(
            Op op, Caller caller, long inode, long offset, long toInode, long toOffset, long length) {
        byte[] content = node(inode).content;
        int count = (int) Math.max(0, Math.min(length, content.length - offset));
        byte[] range = java.util.Arrays.copyOfRange(content, (int) offset, (int) offset + count);
        try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
            return write(op, caller, toInode, 0, toOffset, arena.allocateFrom(JAVA_BYTE, range), false);
        }
    }

    @Override
    public synchronized void list(
            Caller caller, long inode, long afterCookie, boolean withAttributes, DirectorySink sink) {
        lists.incrementAndGet();
        List<Map.Entry<FileName, Node>> entries =
                new ArrayList<>(node(inode).children.entrySet());
        entries.sort(java.util.Comparator.comparingLong(entry -> entry.getKey().cookie()));
        for (Map.Entry<FileName, Node> entry : entries) {
            Attributes a = entry.getValue().attributes;
            long cookie = entry.getKey().cookie();
            if (cookie > afterCookie
                    && !sink.entry(entry.getKey(), a.inode(), a.direntType(), cookie, withAttributes ? a : null)) {
                return;
            }
        }
    }

    @Override
    public byte[] getXattr(Caller caller, long inode, FileName name) {
        byte[] value = node(inode).xattrs.get(name);
        if (value == null) {
            throw new ErrnoException(Errno.ENODATA);
        }
        return value;
    }

    @Override
    public List<FileName> listXattr(Caller caller, long inode) {
        return List.copyOf(node(inode).xattrs.keySet());
    }

    @Override
    public void setXattr(Op op, Caller caller, long inode, FileName name, byte[] value, int flags, boolean killSgid) {
        node(inode).xattrs.put(name, value);
    }

    @Override
    public void removeXattr(Op op, Caller caller, long inode, FileName name) {
        if (node(inode).xattrs.remove(name) == null) {
            throw new ErrnoException(Errno.ENODATA);
        }
    }

    @Override
    public FileLock testLock(long inode, FileLock wanted) {
        FileLock held = node(inode).lock;
        return held == null || held.owner() == wanted.owner() ? null : held;
    }

    /** One exclusive lock an inode. */
    @Override
    public void setLock(Op op, long inode, FileLock lock, boolean wait, Cancellation cancel) {
        if (lock.type() == FileLock.UNLOCK) {
            unlock(inode, lock.owner());
            return;
        }
        cancel.onCancel(() -> {
            synchronized (this) {
                notifyAll();
            }
        });
        synchronized (this) {
            waitingForLocks.incrementAndGet();
            try {
                while (testLock(inode, lock) != null) {
                    if (!wait || cancel.cancelled()) {
                        throw new ErrnoException(wait ? Errno.EINTR : Errno.EAGAIN);
                    }
                    wait(10_000);
                }
            } catch (InterruptedException e) {
                throw new ErrnoException(Errno.EINTR);
            } finally {
                waitingForLocks.decrementAndGet();
            }
            node(inode).lock = lock;
        }
    }

    @Override
    public Usage statfs() {
        return new Usage(4096, nodes.size(), 1 << 30, 1000);
    }

    @Override
    public void close() {}
}
