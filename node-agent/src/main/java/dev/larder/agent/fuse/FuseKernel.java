package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.InitFlag;
import dev.larder.linux.fuse.Negotiated;
import dev.larder.linux.fuse.Wire.BackingMap;
import dev.larder.linux.fuse.Wire.InvalEntry;
import dev.larder.linux.fuse.Wire.InvalInode;
import dev.larder.linux.fuse.Wire.OutHeader;
import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What goes to the kernel on the server's own initiative, by the thread that calls: who may wait for the kernel's locks
 * is the caller's to decide. Make it before the file system; the device stays open until after both.
 */
public final class FuseKernel implements Kernel {
    /** Protocol that brought NOTIFY_INC_EPOCH. */
    private static final int MINOR_WITH_EPOCH = 44;

    private final Descriptor device;
    private final Negotiated negotiated;
    private final BackingRecorder recorder;
    private final boolean passthrough;
    private final boolean epoch;
    private final ConcurrentHashMap<Long, Long> lookups = new ConcurrentHashMap<>();

    /** @param device stays the caller's */
    public FuseKernel(Descriptor device, Negotiated negotiated, BackingRecorder recorder) {
        this.device = device;
        this.negotiated = negotiated;
        this.recorder = recorder;
        this.passthrough = negotiated.has(InitFlag.PASSTHROUGH) && probe();
        this.epoch = negotiated.kernelMinor() >= MINOR_WITH_EPOCH;
    }

    /** Passthrough can be off although it was negotiated: without CAP_SYS_ADMIN, or with a wrong stack depth. */
    private boolean probe() {
        try (Descriptor file = LinuxFile.memory("larder-probe")) {
            closeId(openId(file.number()));
            return true;
        } catch (LinuxException e) {
            return false;
        }
    }

    /** The file system's answer gave the kernel a look-up of an inode; counted where invalidateAll needs to know. */
    void known(long inode) {
        if (!epoch) {
            lookups.merge(inode, 1L, Long::sum);
        }
    }

    void forgotten(long inode, long count) {
        if (!epoch) {
            lookups.computeIfPresent(inode, (node, had) -> had > count ? had - count : null);
        }
    }

    @Override
    public void invalidateInode(long inode, long offset, long length) {
        sendInvalidateInode(inode, offset, length);
    }

    /** Also drops the kernel's listing of the parent, which a name that the kernel never saw would not. */
    @Override
    public void invalidateEntry(long parent, FileName name) {
        sendInvalidateEntry(parent, name);
        sendInvalidateInode(parent, 0, 0);
    }

    /**
     * On older kernels inode by inode, those that this process told the kernel of; the kernel's names of directories
     * then expire with their timeouts.
     */
    @Override
    public void invalidateAll() {
        if (epoch) {
            try (Arena arena = Arena.ofConfined()) {
                send(message(arena, FuseFlags.NOTIFY_INC_EPOCH, 0));
            }
            sendInvalidateInode(Attributes.ROOT, 0, 0);
            return;
        }
        sendInvalidateInode(Attributes.ROOT, 0, 0);
        for (long inode : Set.copyOf(lookups.keySet())) {
            sendInvalidateInode(inode, 0, 0);
        }
    }

    private void sendInvalidateInode(long inode, long offset, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(arena, FuseFlags.NOTIFY_INVAL_INODE, InvalInode.BYTES);
            MemorySegment body = message.asSlice(OutHeader.BYTES);
            body.set(JAVA_LONG, InvalInode.INO, inode);
            body.set(JAVA_LONG, InvalInode.OFF, offset);
            body.set(JAVA_LONG, InvalInode.LEN, length);
            send(message);
        }
    }

    private void sendInvalidateEntry(long parent, FileName name) {
        byte[] bytes = name.bytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(arena, FuseFlags.NOTIFY_INVAL_ENTRY, InvalEntry.BYTES + bytes.length + 1);
            MemorySegment body = message.asSlice(OutHeader.BYTES);
            body.set(JAVA_LONG, InvalEntry.PARENT, parent);
            body.set(JAVA_INT, InvalEntry.NAMELEN, bytes.length);
            MemorySegment.copy(bytes, 0, body, JAVA_BYTE, InvalEntry.BYTES, bytes.length);
            send(message);
        }
    }

    /**
     * Makes the kernel send again what a dead server left unanswered. Only before a server reads: it would be sent again
     * what it is working on.
     *
     * @return false when this kernel cannot (before 6.9)
     */
    boolean resend() {
        if (!negotiated.has(InitFlag.HAS_RESEND)) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            send(message(arena, FuseFlags.NOTIFY_RESEND, 0));
        }
        return true;
    }

    private static MemorySegment message(Arena arena, int code, int bodyBytes) {
        MemorySegment message = arena.allocate(OutHeader.BYTES + (long) bodyBytes, Long.BYTES);
        message.set(JAVA_INT, OutHeader.LEN, (int) message.byteSize());
        message.set(JAVA_INT, OutHeader.ERROR, code);
        return message;
    }

    /** That the kernel does not know the inode or name, or is not mounted any more, is as good as done. */
    private void send(MemorySegment message) {
        long result = LinuxFile.tryWrite(device.number(), message);
        int errno = result < 0 ? (int) -result : 0;
        switch (errno) {
            case 0, LinuxErrno.ENOENT, LinuxErrno.ENODEV, LinuxErrno.ENOTDIR, LinuxErrno.ENOTCONN -> {}
            default -> throw new LinuxException("FUSE notification", errno, "code " + message.get(JAVA_INT, 4));
        }
    }

    @Override
    public boolean passthrough() {
        return passthrough;
    }

    @Override
    public int openBacking(long inode, int descriptor) {
        int id;
        try {
            id = openId(descriptor);
        } catch (LinuxException e) {
            throw new ErrnoException(Errno.of(e.errno()), "a backing file of inode " + inode, e);
        }
        try {
            recorder.opened(inode, id);
        } catch (RuntimeException e) {
            closeId(id);
            throw e;
        }
        return id;
    }

    private int openId(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(BackingMap.BYTES, Long.BYTES);
            map.set(JAVA_INT, BackingMap.FD, descriptor);
            return LinuxFile.ioctl(device.number(), FuseFlags.IOC_BACKING_OPEN, map);
        }
    }

    @Override
    public int backing(long inode) {
        return recorder.backing(inode);
    }

    @Override
    public void closeBacking(long inode, int backingId) {
        try {
            closeId(backingId);
        } catch (LinuxException e) {
            if (!e.is(LinuxErrno.ENOENT)) {
                throw new ErrnoException(Errno.of(e.errno()), "backing id " + backingId, e);
            }
        }
        recorder.closed(inode, backingId);
    }

    private void closeId(int backingId) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(JAVA_INT);
            id.set(JAVA_INT, 0, backingId);
            LinuxFile.ioctl(device.number(), FuseFlags.IOC_BACKING_CLOSE, id);
        }
    }
}
