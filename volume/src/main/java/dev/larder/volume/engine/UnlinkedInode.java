package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.cache.NodeCache;
import dev.larder.volume.metadata.Metadata;
import java.util.List;

/** Gives up an inode whose last link is gone and that nobody has open here. */
record UnlinkedInode(Metadata metadata, NodeCache cache, Durability durability, Dirtiness dirtiness) {
    /** Whether the cache has a file of it, whose removal takes a while. */
    boolean hasFile(long inode) {
        return cache.contains(inode);
    }

    /** @param held this session holds it */
    void drop(OpenInode in, boolean held) {
        in.lock.lock();
        try {
            if (in.isOpen() || !in.unlinked) {
                return;
            }
            if (held && hasName(in)) {
                in.unlinked = false;
                metadata.releaseHolds(List.of(in.inode));
                return;
            }
            in.overwritten(0, Long.MAX_VALUE);
            in.uploads.clear();
            cache.remove(in.inode);
            in.discardFile();
            dirtiness.settle(in);
            durability.forget(in.inode);
            in.gone = true;
        } finally {
            in.lock.unlock();
        }
        if (held) {
            metadata.releaseHolds(List.of(in.inode));
        }
    }

    /** It may have been given a name again: O_TMPFILE and linkat(2). */
    private boolean hasName(OpenInode in) {
        try {
            return metadata.attributes(in.inode).nlink() > 0;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESTALE) {
                return false;
            }
            throw e;
        }
    }
}
