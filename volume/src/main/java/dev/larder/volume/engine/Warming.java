package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.engine.MountedVolume.WarmListener;
import dev.larder.volume.metadata.Metadata;
import java.util.HashSet;
import java.util.Set;

/** One warm-up: a file that has several names, or is named twice, is fetched once. One use, one thread. */
final class Warming {
    /** More inodes are not remembered: what is fetched again is found in the cache. */
    private static final int MAX_REMEMBERED = 1_000_000;

    private final Metadata metadata;
    private final Contents contents;
    private final WarmListener listener;
    private final Set<Long> seen = new HashSet<>();

    Warming(Metadata metadata, Contents contents, WarmListener listener) {
        this.metadata = metadata;
        this.contents = contents;
        this.listener = listener;
    }

    void warm(String path, Attributes at) {
        if (at.isRegular()) {
            file(path, at.inode());
        } else if (at.isDirectory()) {
            new Tree(metadata).files(path, at.inode(), this::file);
        }
    }

    private void file(String path, long inode) {
        if (seen.contains(inode)) {
            return;
        }
        if (seen.size() < MAX_REMEMBERED) {
            seen.add(inode);
        }
        try {
            contents.warm(inode, listener::fetched);
            listener.done();
        } catch (ErrnoException e) {
            listener.failed(path, e);
        }
    }
}
