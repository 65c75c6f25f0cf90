package dev.larder.volume.engine;

import dev.larder.volume.Kernel;
import java.util.concurrent.Executor;

/** Tells the kernel to drop its pages and attributes of an inode, on a thread of its own: it may block. */
record Notifier(Kernel kernel, Executor executor) {
    void invalidate(long inode) {
        executor.execute(() -> kernel.invalidateInode(inode, 0, 0));
    }
}
