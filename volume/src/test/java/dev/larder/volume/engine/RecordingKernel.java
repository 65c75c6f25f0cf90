package dev.larder.volume.engine;

import dev.larder.volume.FileName;
import dev.larder.volume.Kernel;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A kernel that keeps what it is told. */
final class RecordingKernel implements Kernel {
    final Set<Long> invalidated = ConcurrentHashMap.newKeySet();
    final Map<Long, Integer> backings = new ConcurrentHashMap<>();
    volatile boolean passthrough;
    private final AtomicInteger ids = new AtomicInteger();

    @Override
    public void invalidateInode(long inode, long offset, long length) {
        invalidated.add(inode);
    }

    @Override
    public void invalidateEntry(long parent, FileName name) {
        invalidated.add(parent);
    }

    @Override
    public void invalidateAll() {
        invalidated.add(0L);
    }

    @Override
    public boolean passthrough() {
        return passthrough;
    }

    @Override
    public int openBacking(long inode, int descriptor) {
        int id = ids.incrementAndGet();
        backings.put(inode, id);
        return id;
    }

    @Override
    public int backing(long inode) {
        return backings.getOrDefault(inode, 0);
    }

    @Override
    public void closeBacking(long inode, int backingId) {
        backings.remove(inode, backingId);
    }
}
