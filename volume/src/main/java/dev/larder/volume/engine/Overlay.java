package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import dev.larder.volume.engine.OpenInode.Pending;

/** Attributes as a process on this node sees them. Without locks. */
final class Overlay {
    private static final int S_ISUID = 0x800;
    private static final int S_ISGID = 0x400;
    private static final int S_IXGRP = 0x8;

    private Overlay() {}

    /** What the database said, unless a later commit of ours is known, with what is pending over it. */
    static Attributes of(OpenInode in, Attributes committed) {
        Pending pending = in.pending;
        Attributes known = in.attributes;
        Attributes newest = known != null && known.version() > committed.version()
                ? withContent(committed, known.size(), known.mtime(), later(committed.ctime(), known.ctime()), known)
                : committed;
        if (pending == null) {
            return newest;
        }
        return withMode(
                withContent(
                        newest,
                        Math.max(newest.size(), pending.size()),
                        pending.mtime(),
                        later(newest.ctime(), pending.mtime()),
                        newest),
                pending.killSuidgid());
    }

    private static FileTime later(FileTime a, FileTime b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static Attributes withContent(Attributes a, long size, FileTime mtime, FileTime ctime, Attributes content) {
        return new Attributes(
                a.inode(),
                a.mode(),
                a.uid(),
                a.gid(),
                a.nlink(),
                a.rdev(),
                size,
                content.allocated(),
                a.atime(),
                mtime,
                ctime,
                a.btime(),
                content.version(),
                content.generation(),
                a.parent(),
                a.flags());
    }

    private static Attributes withMode(Attributes a, boolean killSuidgid) {
        if (!killSuidgid) {
            return a;
        }
        int cleared = a.mode() & ~S_ISUID;
        int mode = (cleared & S_IXGRP) != 0 ? cleared & ~S_ISGID : cleared;
        return new Attributes(
                a.inode(),
                mode,
                a.uid(),
                a.gid(),
                a.nlink(),
                a.rdev(),
                a.size(),
                a.allocated(),
                a.atime(),
                a.mtime(),
                a.ctime(),
                a.btime(),
                a.version(),
                a.generation(),
                a.parent(),
                a.flags());
    }

    static long uploading(OpenInode in) {
        if (!in.lock.tryLock()) {
            return 0;
        }
        try {
            return in.uploads.stream()
                    .filter(upload -> !upload.frames.isDone())
                    .mapToLong(upload -> upload.length)
                    .sum();
        } finally {
            in.lock.unlock();
        }
    }
}
