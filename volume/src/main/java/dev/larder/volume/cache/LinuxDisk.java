package dev.larder.volume.cache;

import dev.larder.linux.Descriptor;
import dev.larder.linux.FileStat;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.OpenFlags;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Supplier;

/** The node's real disk. */
final class LinuxDisk implements Disk {
    @Override
    public int open(Path path) {
        return call(() ->
                LinuxFile.open(path, OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600).release());
    }

    @Override
    public void close(int descriptor) {
        Descriptor.own(descriptor).close();
    }

    @Override
    public long read(int descriptor, MemorySegment into, long offset) {
        try {
            return LinuxFile.preadFully(descriptor, into, offset);
        } catch (LinuxException e) {
            throw errno(e);
        }
    }

    @Override
    public void write(int descriptor, MemorySegment from, long offset) {
        try {
            LinuxFile.pwriteFully(descriptor, from, offset);
        } catch (LinuxException e) {
            throw errno(e);
        }
    }

    @Override
    public void punch(int descriptor, long offset, long length) {
        run(() -> LinuxFile.punchHole(descriptor, offset, length));
    }

    @Override
    public void allocate(int descriptor, long length) {
        run(() -> LinuxFile.fallocate(descriptor, 0, 0, length));
    }

    @Override
    public void truncate(int descriptor, long length) {
        run(() -> LinuxFile.truncate(descriptor, length));
    }

    @Override
    public long length(int descriptor) {
        return call(() -> LinuxFile.stat(descriptor).size());
    }

    @Override
    public Stamp stamp(int descriptor) {
        return call(() -> {
            FileStat stat = LinuxFile.stat(descriptor);
            return new Stamp(stat.size(), stat.ctimeNanos());
        });
    }

    @Override
    public void force(int descriptor) {
        run(() -> LinuxFile.fdatasync(descriptor));
    }

    @Override
    public void syncAll(Path directory) {
        run(() -> {
            try (Descriptor opened = LinuxFile.open(directory, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY, 0)) {
                LinuxFile.syncfs(opened.number());
            }
        });
    }

    @Override
    public void unlink(Path path) {
        try {
            LinuxFile.unlinkAt(LinuxFile.AT_FDCWD, path.toString(), 0);
        } catch (LinuxException e) {
            if (!e.is(Errno.ENOENT.value())) {
                throw errno(e);
            }
        }
    }

    @Override
    public Space space(Path directory) {
        return call(() -> {
            try (Descriptor opened = LinuxFile.open(directory, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY, 0)) {
                dev.larder.linux.Space space = LinuxFile.space(opened.number());
                return new Space(space.totalBytes(), space.availableBytes());
            }
        });
    }

    private static void run(Runnable systemCall) {
        try {
            systemCall.run();
        } catch (LinuxException e) {
            throw errno(e);
        }
    }

    private static <T> T call(Supplier<T> systemCall) {
        try {
            return systemCall.get();
        } catch (LinuxException e) {
            throw errno(e);
        }
    }

    private static ErrnoException errno(LinuxException e) {
        return new ErrnoException(Errno.of(e.errno()), "cache disk: " + e.getMessage(), e);
    }
}
