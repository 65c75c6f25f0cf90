package dev.larder.volume.cache;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The real disk, whose reads and writes fail with EIO while broken, and which has no room for more while full. */
final class BrokenDisk implements Disk {
    private final LinuxDisk disk = new LinuxDisk();
    volatile boolean broken;
    volatile boolean full;

    private void check() {
        if (broken) {
            throw new ErrnoException(Errno.EIO, "broken for the test");
        }
    }

    @Override
    public int open(Path path) {
        return disk.open(path);
    }

    @Override
    public void close(int descriptor) {
        disk.close(descriptor);
    }

    @Override
    public long read(int descriptor, MemorySegment into, long offset) {
        check();
        return disk.read(descriptor, into, offset);
    }

    @Override
    public void write(int descriptor, MemorySegment from, long offset) {
        check();
        disk.write(descriptor, from, offset);
    }

    @Override
    public void punch(int descriptor, long offset, long length) {
        check();
        disk.punch(descriptor, offset, length);
    }

    @Override
    public void allocate(int descriptor, long length) {
        if (full) {
            throw new ErrnoException(Errno.ENOSPC, "full for the test");
        }
        disk.allocate(descriptor, length);
    }

    @Override
    public void truncate(int descriptor, long length) {
        disk.truncate(descriptor, length);
    }

    @Override
    public long length(int descriptor) {
        return disk.length(descriptor);
    }

    @Override
    public Stamp stamp(int descriptor) {
        return disk.stamp(descriptor);
    }

    @Override
    public void force(int descriptor) {
        check();
        disk.force(descriptor);
    }

    @Override
    public void syncAll(Path directory) {
        disk.syncAll(directory);
    }

    @Override
    public void unlink(Path path) {
        disk.unlink(path);
    }

    @Override
    public Space space(Path directory) {
        return disk.space(directory);
    }
}
