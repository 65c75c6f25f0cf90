package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.cache.CacheOptions;
import dev.larder.volume.cache.DiskCache;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.objects.MemoryBudget;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.SegmentOptions;
import dev.larder.volume.objects.Segments;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/** One node: its contents on real parts, with plain byte arrays for tests. */
final class ContentNode implements AutoCloseable {
    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_APPEND = 0x400;
    static final UUID VOLUME = new UUID(1, 2);

    /** Commits in the background do not meddle, the store is waited for a moment only. */
    static final ContentOptions QUIET = new ContentOptions(
            64 << 10, 8 << 20, 0, 1, 256 << 20, Duration.ofHours(1), Duration.ofSeconds(2), 1000, 2, 8);

    final VolumeContents contents;
    final Metadata metadata;
    final RecordingKernel kernel;
    private final Notifications notifications;
    private final DiskCache cache;
    private final Segments segments;

    ContentNode(Metadata metadata, ObjectStore store, Path cacheDirectory, long capacity) {
        this(metadata, store, cacheDirectory, capacity, QUIET, new RecordingKernel(), false);
    }

    ContentNode(
            Metadata metadata,
            ObjectStore store,
            Path cacheDirectory,
            long capacity,
            ContentOptions options,
            RecordingKernel kernel,
            boolean successor) {
        this.metadata = metadata;
        this.kernel = kernel;
        this.notifications = new Notifications(kernel);
        this.cache = DiskCache.open(cacheDirectory, VOLUME, CacheOptions.ofCapacity(capacity));
        this.segments = new Segments(
                store,
                metadata::session,
                new MemoryBudget(64 << 20),
                SegmentOptions.DEFAULT,
                new SimpleMeterRegistry(),
                Tags.empty());
        Quota quota = new Quota() {
            @Override
            public void grow(long bytes, long inodes) {}

            @Override
            public void shrink(long bytes, long inodes) {}
        };
        this.contents =
                new VolumeContents(metadata, segments, cache, kernel, notifications, quota, options, successor).start();
    }

    Opened open(long inode, int flags) {
        return contents.open(Op.NONE, Caller.ROOT, inode, null, flags);
    }

    byte[] read(long inode, long offset, int length) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment into = arena.allocate(Math.max(1, length)).asSlice(0, length);
            int read = contents.read(inode, 0, offset, into);
            return into.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    void write(long inode, long handle, long offset, byte[] bytes) {
        write(Op.NONE, inode, handle, offset, bytes);
    }

    void write(Op op, long inode, long handle, long offset, byte[] bytes) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment from = arena.allocate(Math.max(1, bytes.length)).asSlice(0, bytes.length);
            from.copyFrom(MemorySegment.ofArray(bytes));
            contents.write(op, Caller.ROOT, inode, handle, offset, from, false);
        }
    }

    /** open, write, close. */
    void store(long inode, long offset, byte[] bytes) {
        Opened opened = open(inode, O_WRONLY);
        write(inode, opened.handle(), offset, bytes);
        close(inode, opened);
    }

    /** open, read everything, close. */
    byte[] load(long inode, int length) {
        Opened opened = open(inode, O_RDONLY);
        try {
            return read(inode, 0, length);
        } finally {
            close(inode, opened);
        }
    }

    void close(long inode, Opened opened) {
        try {
            contents.flush(Op.NONE, inode);
        } finally {
            contents.release(inode, opened.handle());
        }
    }

    void truncate(long inode, long size) {
        FileTime now = FileTime.now();
        contents.setAttributes(Op.NONE, inode, new SetAttributes(null, null, null, size, null, now, now, false));
    }

    Attributes attributes(long inode) {
        return contents.overlay(metadata.attributes(inode));
    }

    DiskCache cache() {
        return cache;
    }

    /** As a process that is killed: nothing is committed. */
    void abandon() {
        contents.abandon();
        notifications.close();
        cache.close();
        segments.close();
    }

    @Override
    public void close() {
        try {
            contents.close();
        } finally {
            notifications.close();
            cache.close();
            segments.close();
        }
    }
}
