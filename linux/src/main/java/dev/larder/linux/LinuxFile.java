package dev.larder.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * File calls on descriptor numbers; each may be made from any thread. {@link #read} to {@link #pwrite} move as much as
 * the kernel likes, {@link #preadFully} and {@link #pwriteFully} loop. Buffers must be native memory.
 */
public final class LinuxFile {
    /** Directory descriptor that means the working directory. */
    public static final int AT_FDCWD = -100;

    public static final int AT_REMOVEDIR = 0x200;
    public static final int SEEK_DATA = 3;
    public static final int SEEK_HOLE = 4;
    public static final int FALLOC_FL_KEEP_SIZE = 1;
    public static final int FALLOC_FL_PUNCH_HOLE = 2;
    public static final int FALLOC_FL_COLLAPSE_RANGE = 8;
    public static final int FALLOC_FL_ZERO_RANGE = 0x10;
    public static final int LOCK_SH = 1;
    public static final int LOCK_EX = 2;
    public static final int LOCK_NB = 4;
    public static final int LOCK_UN = 8;
    public static final int RENAME_NOREPLACE = 1;
    public static final int RENAME_EXCHANGE = 2;
    public static final int FADV_WILLNEED = 3;
    public static final int FADV_DONTNEED = 4;

    /** linux/fs.h; the argument is an int although its number says long. */
    private static final int FS_IOC_GETFLAGS = 0x80086601;

    private static final int FS_IOC_SETFLAGS = 0x40086602;
    private static final int FS_IMMUTABLE_FL = 0x10;

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final int STATX_BYTES = 256;
    private static final int STATVFS_BYTES = 112;

    private LinuxFile() {}

    private static final class Read {
        static final MethodHandle HANDLE = Native.buffer("read");
    }

    private static final class Write {
        static final MethodHandle HANDLE = Native.buffer("write");
    }

    private static final class Pread {
        static final MethodHandle HANDLE = Native.buffer("pread");
    }

    private static final class Pwrite {
        static final MethodHandle HANDLE = Native.buffer("pwrite");
    }

    private static final class Openat {
        static final MethodHandle HANDLE = Native.variadic3("openat");
    }

    private static final class Ftruncate {
        static final MethodHandle HANDLE = Native.longs("ftruncate");
    }

    private static final class Fallocate {
        static final MethodHandle HANDLE = Native.longs("fallocate");
    }

    private static final class Lseek {
        static final MethodHandle HANDLE = Native.longs("lseek");
    }

    private static final class Fchown {
        static final MethodHandle HANDLE = Native.longs("fchown");
    }

    private static final class Fchmod {
        static final MethodHandle HANDLE = Native.longs("fchmod");
    }

    private static final class Statx {
        static final MethodHandle HANDLE = Native.longs("statx");
    }

    private static final class Fsync {
        static final MethodHandle HANDLE = Native.longs("fsync");
    }

    private static final class Fdatasync {
        static final MethodHandle HANDLE = Native.longs("fdatasync");
    }

    private static final class Syncfs {
        static final MethodHandle HANDLE = Native.longs("syncfs");
    }

    private static final class CopyFileRange {
        static final MethodHandle HANDLE = Native.longs("copy_file_range");
    }

    private static final class Fstatvfs {
        static final MethodHandle HANDLE = Native.longs("fstatvfs");
    }

    private static final class Flock {
        static final MethodHandle HANDLE = Native.longs("flock");
    }

    private static final class Fadvise {
        static final MethodHandle HANDLE = Native.longs("posix_fadvise");
    }

    private static final class Unlinkat {
        static final MethodHandle HANDLE = Native.longs("unlinkat");
    }

    private static final class Renameat2 {
        static final MethodHandle HANDLE = Native.longs("renameat2");
    }

    private static final class Ioctl {
        static final MethodHandle HANDLE = Native.variadic2("ioctl");
    }

    private static final class MemfdCreate {
        static final MethodHandle HANDLE = Native.longs("memfd_create");
    }

    /** A file in memory without a name in any directory; memfd_create(2). */
    public static Descriptor memory(String label) {
        final int closeOnExec = 1;
        try (Scratch scratch = Scratch.take()) {
            long address = scratch.text(label).address();
            return Descriptor.own(
                    Call.ints("memfd_create", label, MemfdCreate.HANDLE, scratch, address, closeOnExec, 0, 0));
        }
    }

    /** O_CLOEXEC is added. */
    public static Descriptor open(Path path, int flags, int mode) {
        return openAt(AT_FDCWD, path.toString(), flags, mode);
    }

    /** O_CLOEXEC is added. */
    public static Descriptor openAt(int directory, String path, int flags, int mode) {
        try (Scratch scratch = Scratch.take()) {
            long address = scratch.text(path).address();
            long all = flags | OpenFlags.O_CLOEXEC;
            return Descriptor.own(Call.ints("openat", path, Openat.HANDLE, scratch, directory, address, all, mode));
        }
    }

    /** @return bytes read, 0 at the end */
    public static long read(int fd, MemorySegment into) {
        return Call.buffer("read", Read.HANDLE, fd, into, into.byteSize(), 0);
    }

    public static long write(int fd, MemorySegment from) {
        return Call.buffer("write", Write.HANDLE, fd, from, from.byteSize(), 0);
    }

    /** As {@link #read}, but a failure is a result: minus errno, EINTR included. For loops that expect failures. */
    public static long tryRead(int fd, MemorySegment into) {
        return attempt(Read.HANDLE, fd, into);
    }

    /** As {@link #write}, but a failure is a result: minus errno, EINTR included. */
    public static long tryWrite(int fd, MemorySegment from) {
        return attempt(Write.HANDLE, fd, from);
    }

    private static long attempt(MethodHandle handle, int fd, MemorySegment buffer) {
        try (Scratch scratch = Scratch.take()) {
            long result = Native.invoke(handle, scratch, fd, buffer, buffer.byteSize(), 0);
            return result == -1 ? -scratch.errno() : result;
        }
    }

    /** @return bytes read, 0 at the end of the file */
    public static long pread(int fd, MemorySegment into, long offset) {
        return Call.buffer("pread", Pread.HANDLE, fd, into, into.byteSize(), offset);
    }

    public static long pwrite(int fd, MemorySegment from, long offset) {
        return Call.buffer("pwrite", Pwrite.HANDLE, fd, from, from.byteSize(), offset);
    }

    /** @return bytes read: all that {@code into} holds, or fewer at the end of the file */
    public static long preadFully(int fd, MemorySegment into, long offset) {
        long done = 0;
        while (done < into.byteSize()) {
            long n = pread(fd, into.asSlice(done), offset + done);
            if (n == 0) {
                break;
            }
            done += n;
        }
        return done;
    }

    /** Writes all; after a failure the file may hold a part. */
    public static void pwriteFully(int fd, MemorySegment from, long offset) {
        long done = 0;
        while (done < from.byteSize()) {
            done += pwrite(fd, from.asSlice(done), offset + done);
        }
    }

    public static void truncate(int fd, long size) {
        simple("ftruncate", Ftruncate.HANDLE, fd, size, 0, 0);
    }

    /** @param mode FALLOC_FL_* bits */
    public static void fallocate(int fd, int mode, long offset, long length) {
        simple("fallocate", Fallocate.HANDLE, fd, mode, offset, length);
    }

    /** Gives a range's blocks back; it reads as zeros and the size stays. */
    public static void punchHole(int fd, long offset, long length) {
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
    }

    /**
     * @param whence {@link #SEEK_DATA}, {@link #SEEK_HOLE}
     * @return the place found, or -1 where there is none (ENXIO)
     */
    public static long seek(int fd, long offset, int whence) {
        final int enxio = 6;
        try (Scratch scratch = Scratch.take()) {
            return Call.longs("lseek", Lseek.HANDLE, scratch, fd, offset, whence, 0, 0, 0);
        } catch (LinuxException e) {
            if (e.is(enxio)) {
                return -1;
            }
            throw e;
        }
    }

    public static FileStat stat(int fd) {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment s = scratch.allocate(STATX_BYTES);
            long empty = scratch.text("").address();
            long result = Call.longs(
                    "statx", Statx.HANDLE, scratch, fd, empty, AT_EMPTY_PATH, STATX_BASIC_STATS, s.address(), 0);
            assert (int) result == 0;
            return new FileStat(
                    s.get(JAVA_LONG, 32),
                    Short.toUnsignedInt(s.get(JAVA_SHORT, 28)),
                    s.get(JAVA_INT, 16),
                    s.get(JAVA_INT, 20),
                    s.get(JAVA_INT, 24),
                    s.get(JAVA_LONG, 40),
                    s.get(JAVA_LONG, 48) * 512,
                    nanos(s, 112),
                    nanos(s, 96),
                    ((long) s.get(JAVA_INT, 136) << 32) | Integer.toUnsignedLong(s.get(JAVA_INT, 140)));
        }
    }

    private static long nanos(MemorySegment statx, long offset) {
        return statx.get(JAVA_LONG, offset) * 1_000_000_000L + statx.get(JAVA_INT, offset + 8);
    }

    public static void fsync(int fd) {
        simple("fsync", Fsync.HANDLE, fd, 0, 0, 0);
    }

    public static void fdatasync(int fd) {
        simple("fdatasync", Fdatasync.HANDLE, fd, 0, 0, 0);
    }

    /** Everything dirty of the descriptor's file system is durable when it returns. */
    public static void syncfs(int fd) {
        simple("syncfs", Syncfs.HANDLE, fd, 0, 0, 0);
    }

    /** @return bytes copied, maybe fewer than asked; 0 at the end of the source */
    public static long copyRange(int from, long fromOffset, int to, long toOffset, long length) {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment offsets = scratch.allocate(16);
            offsets.set(JAVA_LONG, 0, fromOffset);
            offsets.set(JAVA_LONG, 8, toOffset);
            long in = offsets.address();
            return Call.longs("copy_file_range", CopyFileRange.HANDLE, scratch, from, in, to, in + 8, length, 0);
        }
    }

    public static Space space(int fd) {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment s = scratch.allocate(STATVFS_BYTES);
            Call.ints("fstatvfs", null, Fstatvfs.HANDLE, scratch, fd, s.address(), 0, 0);
            long unit = s.get(JAVA_LONG, 8);
            return new Space(
                    s.get(JAVA_LONG, 16) * unit,
                    s.get(JAVA_LONG, 24) * unit,
                    s.get(JAVA_LONG, 32) * unit,
                    s.get(JAVA_LONG, 40),
                    s.get(JAVA_LONG, 48));
        }
    }

    /** @return false when LOCK_NB was given and another holds it */
    public static boolean flock(int fd, int operation) {
        try {
            simple("flock", Flock.HANDLE, fd, operation, 0, 0);
            return true;
        } catch (LinuxException e) {
            if (e.is(LinuxErrno.EAGAIN)) {
                return false;
            }
            throw e;
        }
    }

    /** Only a hint: a refusal is not reported. */
    public static void advise(int fd, long offset, long length, int advice) {
        try (Scratch scratch = Scratch.take()) {
            Native.invoke(Fadvise.HANDLE, scratch, fd, offset, length, advice, 0, 0);
        }
    }

    /** @param flags 0 or {@link #AT_REMOVEDIR} */
    public static void unlinkAt(int directory, String path, int flags) {
        try (Scratch scratch = Scratch.take()) {
            long address = scratch.text(path).address();
            Call.ints("unlinkat", path, Unlinkat.HANDLE, scratch, directory, address, flags, 0);
        }
    }

    /** @param flags RENAME_* bits */
    public static void renameAt(int directory, String path, int toDirectory, String toPath, int flags) {
        try (Scratch scratch = Scratch.take()) {
            long from = scratch.text(path).address();
            long to = scratch.text(toPath).address();
            long result = Native.invoke(Renameat2.HANDLE, scratch, directory, from, toDirectory, to, flags, 0);
            if ((int) result == -1) {
                throw new LinuxException("renameat2", scratch.errno(), path + ", " + toPath);
            }
        }
    }

    /** An ioctl with a struct of at most 4096 bytes, copied in and out. */
    public static int ioctl(int fd, int request, MemorySegment argument) {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment copy = scratch.allocate(argument.byteSize()).copyFrom(argument);
            long number = Integer.toUnsignedLong(request);
            int result = Call.ints("ioctl", null, Ioctl.HANDLE, scratch, fd, number, copy.address(), 0);
            argument.copyFrom(copy);
            return result;
        }
    }

    /** Minus one as user or group: it stays. */
    public static void chown(int fd, int user, int group) {
        simple("fchown", Fchown.HANDLE, fd, user, group, 0);
    }

    /** @param mode permission bits with set-id and sticky bits */
    public static void chmod(int fd, int mode) {
        simple("fchmod", Fchmod.HANDLE, fd, mode, 0, 0);
    }

    /**
     * Sets or clears the attribute by which nobody, root included, adds or removes names of a directory (chattr +i).
     *
     * @throws LinuxException ENOTTY or EOPNOTSUPP where the file system has no such attribute
     */
    public static void setImmutable(int fd, boolean immutable) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment flags = arena.allocate(JAVA_LONG);
            ioctl(fd, FS_IOC_GETFLAGS, flags);
            int old = flags.get(JAVA_INT, 0);
            int wanted = immutable ? old | FS_IMMUTABLE_FL : old & ~FS_IMMUTABLE_FL;
            if (wanted != old) {
                flags.set(JAVA_INT, 0, wanted);
                ioctl(fd, FS_IOC_SETFLAGS, flags);
            }
        }
    }

    private static void simple(String name, MethodHandle handle, long a, long b, long c, long d) {
        try (Scratch scratch = Scratch.take()) {
            Call.ints(name, null, handle, scratch, a, b, c, d);
        }
    }
}
