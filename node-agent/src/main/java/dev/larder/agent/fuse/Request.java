package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.volume.Caller;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.Op;
import java.lang.foreign.MemorySegment;

/** A request in off-heap memory. Reading past its end is EINVAL, never a wild read. Offsets count from the body's start. */
final class Request {
    private final MemorySegment bytes;

    /** @param bytes at least a header */
    Request(MemorySegment bytes) {
        this.bytes = bytes;
    }

    int opcode() {
        return bytes.get(JAVA_INT_UNALIGNED, InHeader.OPCODE);
    }

    /** As the reply must repeat it, bit 63 included. */
    long unique() {
        return bytes.get(JAVA_LONG_UNALIGNED, InHeader.UNIQUE);
    }

    /** Without the mark of a resent request: the same before and after a take-over. */
    long identity() {
        return unique() & ~FuseFlags.UNIQUE_RESEND;
    }

    long nodeid() {
        return bytes.get(JAVA_LONG_UNALIGNED, InHeader.NODEID);
    }

    long uid() {
        return Integer.toUnsignedLong(bytes.get(JAVA_INT_UNALIGNED, InHeader.UID));
    }

    int pid() {
        return bytes.get(JAVA_INT_UNALIGNED, InHeader.PID);
    }

    Caller caller() {
        return new Caller(uid(), Integer.toUnsignedLong(bytes.get(JAVA_INT_UNALIGNED, InHeader.GID)), pid());
    }

    Op op() {
        return new Op(identity() * 4, (unique() & FuseFlags.UNIQUE_RESEND) != 0);
    }

    int int32(int offset) {
        check(offset, Integer.BYTES);
        return bytes.get(JAVA_INT_UNALIGNED, InHeader.BYTES + (long) offset);
    }

    long uint32(int offset) {
        return Integer.toUnsignedLong(int32(offset));
    }

    long int64(int offset) {
        check(offset, Long.BYTES);
        return bytes.get(JAVA_LONG_UNALIGNED, InHeader.BYTES + (long) offset);
    }

    /** A file offset or length: EINVAL when negative. */
    long position(int offset) {
        long value = int64(offset);
        if (value < 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        return value;
    }

    MemorySegment data(int offset, long length) {
        check(offset, length);
        return bytes.asSlice(InHeader.BYTES + (long) offset, length);
    }

    /** The bytes up to the NUL that must follow them. */
    byte[] text(int offset) {
        long start = InHeader.BYTES + (long) offset;
        long end = start;
        while (end < bytes.byteSize() && bytes.get(JAVA_BYTE, end) != 0) {
            end++;
        }
        if (end >= bytes.byteSize()) {
            throw new ErrnoException(Errno.EINVAL);
        }
        return bytes.asSlice(start, end - start).toArray(JAVA_BYTE);
    }

    FileName name(int offset) {
        return FileName.of(text(offset));
    }

    private void check(int offset, long length) {
        if (length < 0 || offset < 0 || length > bytes.byteSize() - InHeader.BYTES - offset) {
            throw new ErrnoException(Errno.EINVAL);
        }
    }
}
