package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.Wire.Attr;
import dev.larder.linux.fuse.Wire.AttrOut;
import dev.larder.linux.fuse.Wire.EntryOut;
import dev.larder.linux.fuse.Wire.OpenOut;
import dev.larder.linux.fuse.Wire.OutHeader;
import dev.larder.linux.fuse.Wire.Statx;
import dev.larder.linux.fuse.Wire.StatxOut;
import dev.larder.linux.fuse.Wire.SxTime;
import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import java.lang.foreign.MemorySegment;

/** A reply under construction, in off-heap memory behind its header. Structs are written after one another. */
final class Reply {
    private static final int BLOCK = 4096;
    private static final int SECTOR = 512;
    private static final int STATX_BASIC_AND_BTIME = 0xfff;

    private final MemorySegment bytes;
    private long size;

    Reply(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /** Starts anew: an empty success. */
    void reset() {
        size = 0;
    }

    /** Zeroed room of a struct behind what stands already. */
    MemorySegment append(int length) {
        MemorySegment struct = room(length).fill((byte) 0);
        size += length;
        return struct;
    }

    /** Room behind what stands, not yet part of the reply: see {@link #taken}. */
    MemorySegment room(long length) {
        if (length < 0 || length > bytes.byteSize() - OutHeader.BYTES - size) {
            throw new ErrnoException(Errno.EINVAL);
        }
        return bytes.asSlice(OutHeader.BYTES + size, length);
    }

    /** So many bytes of the room are filled. */
    void taken(long length) {
        size += length;
    }

    long size() {
        return size;
    }

    void append(byte[] content) {
        MemorySegment.copy(content, 0, room(content.length), JAVA_BYTE, 0, content.length);
        size += content.length;
    }

    /** The finished message. */
    MemorySegment finish(long unique, int errno) {
        long length = OutHeader.BYTES + (errno == 0 ? size : 0);
        bytes.set(JAVA_INT, OutHeader.LEN, (int) length);
        bytes.set(JAVA_INT, OutHeader.ERROR, -errno);
        bytes.set(JAVA_LONG, OutHeader.UNIQUE, unique);
        return bytes.asSlice(0, length);
    }

    void entry(Attributes attributes, long timeoutMillis) {
        putEntry(append(EntryOut.BYTES), attributes, timeoutMillis);
    }

    /** The name is missing, and the kernel may remember that. */
    void missingEntry(long timeoutMillis) {
        MemorySegment out = append(EntryOut.BYTES);
        out.set(JAVA_LONG, EntryOut.ENTRY_VALID, timeoutMillis / 1000);
        out.set(JAVA_INT, EntryOut.ENTRY_VALID_NSEC, nanos(timeoutMillis));
    }

    static void putEntry(MemorySegment out, Attributes attributes, long timeoutMillis) {
        out.set(JAVA_LONG, EntryOut.NODEID, attributes.inode());
        out.set(JAVA_LONG, EntryOut.ENTRY_VALID, timeoutMillis / 1000);
        out.set(JAVA_INT, EntryOut.ENTRY_VALID_NSEC, nanos(timeoutMillis));
        out.set(JAVA_LONG, EntryOut.ATTR_VALID, timeoutMillis / 1000);
        out.set(JAVA_INT, EntryOut.ATTR_VALID_NSEC, nanos(timeoutMillis));
        putAttr(out.asSlice(EntryOut.ATTR, Attr.BYTES), attributes);
    }

    void attr(Attributes attributes, long timeoutMillis) {
        MemorySegment out = append(AttrOut.BYTES);
        out.set(JAVA_LONG, AttrOut.ATTR_VALID, timeoutMillis / 1000);
        out.set(JAVA_INT, AttrOut.ATTR_VALID_NSEC, nanos(timeoutMillis));
        putAttr(out.asSlice(AttrOut.ATTR, Attr.BYTES), attributes);
    }

    private static int nanos(long millis) {
        return (int) (millis % 1000) * 1_000_000;
    }

    private static long blocks(Attributes attributes) {
        return (attributes.allocated() + SECTOR - 1) / SECTOR;
    }

    private static void putAttr(MemorySegment out, Attributes a) {
        out.set(JAVA_LONG, Attr.INO, a.inode());
        out.set(JAVA_LONG, Attr.SIZE, a.size());
        out.set(JAVA_LONG, Attr.BLOCKS, blocks(a));
        out.set(JAVA_LONG, Attr.ATIME, a.atime().seconds());
        out.set(JAVA_LONG, Attr.MTIME, a.mtime().seconds());
        out.set(JAVA_LONG, Attr.CTIME, a.ctime().seconds());
        out.set(JAVA_INT, Attr.ATIMENSEC, a.atime().nanos());
        out.set(JAVA_INT, Attr.MTIMENSEC, a.mtime().nanos());
        out.set(JAVA_INT, Attr.CTIMENSEC, a.ctime().nanos());
        out.set(JAVA_INT, Attr.MODE, a.mode());
        out.set(JAVA_INT, Attr.NLINK, a.nlink());
        out.set(JAVA_INT, Attr.UID, (int) a.uid());
        out.set(JAVA_INT, Attr.GID, (int) a.gid());
        out.set(JAVA_INT, Attr.RDEV, (int) a.rdev());
        out.set(JAVA_INT, Attr.BLKSIZE, BLOCK);
    }

    void statx(Attributes a, long timeoutMillis) {
        MemorySegment out = append(StatxOut.BYTES);
        out.set(JAVA_LONG, StatxOut.ATTR_VALID, timeoutMillis / 1000);
        out.set(JAVA_INT, StatxOut.ATTR_VALID_NSEC, nanos(timeoutMillis));
        MemorySegment stat = out.asSlice(StatxOut.STAT, Statx.BYTES);
        stat.set(JAVA_INT, Statx.MASK, STATX_BASIC_AND_BTIME);
        stat.set(JAVA_INT, Statx.BLKSIZE, BLOCK);
        stat.set(JAVA_INT, Statx.NLINK, a.nlink());
        stat.set(JAVA_INT, Statx.UID, (int) a.uid());
        stat.set(JAVA_INT, Statx.GID, (int) a.gid());
        stat.set(JAVA_SHORT, Statx.MODE, (short) a.mode());
        stat.set(JAVA_LONG, Statx.INO, a.inode());
        stat.set(JAVA_LONG, Statx.SIZE, a.size());
        stat.set(JAVA_LONG, Statx.BLOCKS, blocks(a));
        putTime(stat, Statx.ATIME, a.atime());
        putTime(stat, Statx.BTIME, a.btime());
        putTime(stat, Statx.CTIME, a.ctime());
        putTime(stat, Statx.MTIME, a.mtime());
        int rdev = (int) a.rdev();
        stat.set(JAVA_INT, Statx.RDEV_MAJOR, (rdev & 0xfff00) >>> 8);
        stat.set(JAVA_INT, Statx.RDEV_MINOR, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00));
    }

    private static void putTime(MemorySegment stat, long offset, FileTime time) {
        stat.set(JAVA_LONG, offset + SxTime.TV_SEC, time.seconds());
        stat.set(JAVA_INT, offset + SxTime.TV_NSEC, time.nanos());
    }

    /** Passthrough excludes KEEP_CACHE: the kernel answers both together with EIO. */
    void opened(Opened opened) {
        int flags = opened.directIo() ? FuseFlags.FOPEN_DIRECT_IO : 0;
        if (opened.backingId() != 0) {
            flags |= FuseFlags.FOPEN_PASSTHROUGH;
        } else if (opened.directIo()) {
            flags |= FuseFlags.FOPEN_PARALLEL_DIRECT_WRITES;
        } else if (opened.keepCache()) {
            flags |= FuseFlags.FOPEN_KEEP_CACHE;
        }
        opened(opened.handle(), flags, opened.backingId());
    }

    void opened(long handle, int flags, int backingId) {
        MemorySegment out = append(OpenOut.BYTES);
        out.set(JAVA_LONG, OpenOut.FH, handle);
        out.set(JAVA_INT, OpenOut.OPEN_FLAGS, flags);
        out.set(JAVA_INT, OpenOut.BACKING_ID, backingId);
    }
}
