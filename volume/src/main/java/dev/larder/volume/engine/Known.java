package dev.larder.volume.engine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What this session knows without asking: committed attributes, and directories of which every name is known. True as
 * long as the change feed is applied; own mutations keep it right.
 *
 * <p>Order is kept by stamps: whoever reads takes a {@link #token} before its statement, and what it read is stored only
 * when no mutation and no feed change of the inode began or ended since. A mutation's own result is stored only when
 * nothing else touched the inode meanwhile; otherwise the inode is forgotten. So an older truth never replaces a newer
 * one. Thread-safe; the stripes' monitors and a directory's are leaves.
 */
final class Known {
    private static final int STRIPES = 1024;

    private final Cache<Long, Attributes> attributes;
    private final KnownDirectories directories;
    private final Stripe[] stripes = new Stripe[STRIPES];
    private final AtomicLong clock = new AtomicLong();
    private volatile long floor;
    private volatile boolean suspended;

    private static final class Stripe {
        private long stamp;
        private int inFlight;
    }

    Known(long maxAttributes, int maxNamesPerDirectory, long maxNames) {
        // Its upkeep on the caller's thread: to wake another one costs more than the upkeep.
        attributes = Caffeine.newBuilder()
                .maximumSize(maxAttributes)
                .executor(Runnable::run)
                .build();
        directories = new KnownDirectories(maxNamesPerDirectory, maxNames);
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Stripe();
        }
    }

    /** Taken before a statement that reads. */
    long token() {
        return clock.get();
    }

    /** Committed attributes, or null when they are not known. */
    Attributes attributes(long inode) {
        return suspended ? null : attributes.getIfPresent(inode);
    }

    /** The inode of a name; 0 = there is no such name; null = not known. */
    Long find(long parent, FileName name) {
        return suspended ? null : directories.find(parent, name);
    }

    KnownDirectories directories() {
        return directories;
    }

    void learn(Attributes read, long token) {
        Stripe stripe = stripe(read.inode());
        synchronized (stripe) {
            if (!suspended && token >= floor && stripe.stamp <= token && stripe.inFlight == 0) {
                attributes.put(read.inode(), read);
            }
        }
    }

    /** The feed: the inode is no longer what is known here. */
    void changed(long inode) {
        Stripe stripe = stripe(inode);
        synchronized (stripe) {
            stripe.stamp = clock.incrementAndGet();
            attributes.invalidate(inode);
        }
    }

    /** The feed: a name, or (null) any name of a directory, changed. */
    void entryChanged(long parent, FileName name) {
        changed(parent);
        if (name == null) {
            directories.drop(parent);
        } else {
            directories.doubt(parent, name);
        }
    }

    void clear() {
        floor = clock.incrementAndGet();
        for (Stripe stripe : stripes) {
            synchronized (stripe) {
                stripe.stamp = floor;
            }
        }
        attributes.invalidateAll();
        directories.clear();
    }

    /** While the feed is silent nothing is known and nothing is learnt. */
    void suspend(boolean on) {
        suspended = on;
        if (on) {
            clear();
        }
    }

    long size() {
        return attributes.estimatedSize();
    }

    /** Begins a mutation of inodes; nothing that was read of them before it ends is kept. */
    Mutation mutate(long... inodes) {
        return new Mutation(inodes);
    }

    private Stripe stripe(long inode) {
        long mixed = inode * 0x9E3779B97F4A7C15L;
        return stripes[(int) (mixed >>> 54)];
    }

    /** One mutation under way; inodes and names of which it tells no outcome by its end are forgotten. */
    final class Mutation implements AutoCloseable {
        private final List<Touched> touched = new ArrayList<>(3);
        private final List<KnownDirectories.Naming> namings = new ArrayList<>(2);

        private final class Touched {
            private final long inode;
            private final long token;
            private Attributes result;
            private FileTime touchedAt;
            private int nlinkDelta;

            private Touched(long inode) {
                this.inode = inode;
                Stripe stripe = stripe(inode);
                synchronized (stripe) {
                    stripe.inFlight++;
                    token = clock.incrementAndGet();
                    stripe.stamp = token;
                }
            }

            private void end() {
                Stripe stripe = stripe(inode);
                synchronized (stripe) {
                    stripe.inFlight--;
                    boolean alone = stripe.stamp == token && stripe.inFlight == 0 && token >= floor && !suspended;
                    stripe.stamp = clock.incrementAndGet();
                    store(alone);
                }
            }

            private void store(boolean alone) {
                if (touchedAt != null && token >= floor) {
                    attributes.asMap().computeIfPresent(inode, (key, old) -> touch(old, touchedAt, nlinkDelta));
                } else if (result != null && alone) {
                    attributes.put(inode, result);
                } else {
                    attributes.invalidate(inode);
                }
            }
        }

        private Mutation(long[] inodes) {
            for (long inode : inodes) {
                if (touched.stream().noneMatch(t -> t.inode == inode)) {
                    touched.add(new Touched(inode));
                }
            }
        }

        /** A name that the mutation makes or removes; to be told before the statement. */
        KnownDirectories.Naming name(long parent, FileName name) {
            KnownDirectories.Naming naming = directories.begin(parent, name);
            namings.add(naming);
            return naming;
        }

        /** The statement's answer. */
        void is(Attributes result) {
            Touched entry = touched(result.inode());
            if (entry == null) {
                changed(result.inode());
            } else {
                entry.result = result;
            }
        }

        /** A directory in which a name was made or removed: its times follow, its nlink by subdirectories. */
        void directoryTouched(long inode, FileTime now, int nlinkDelta) {
            Touched entry = touched(inode);
            if (entry != null) {
                entry.touchedAt = now;
                entry.nlinkDelta = nlinkDelta;
            }
        }

        private Touched touched(long inode) {
            for (Touched entry : touched) {
                if (entry.inode == inode) {
                    return entry;
                }
            }
            return null;
        }

        @Override
        public void close() {
            namings.forEach(KnownDirectories.Naming::end);
            touched.forEach(Touched::end);
        }
    }

    /** As the database does it: a directory's mtime follows its ctime, which never goes back. */
    private static Attributes touch(Attributes old, FileTime now, int nlinkDelta) {
        FileTime time = later(old.ctime(), now);
        return new Attributes(
                old.inode(),
                old.mode(),
                old.uid(),
                old.gid(),
                old.nlink() + nlinkDelta,
                old.rdev(),
                old.size(),
                old.allocated(),
                old.atime(),
                time,
                time,
                old.btime(),
                old.version(),
                old.generation(),
                old.parent(),
                old.flags());
    }

    private static FileTime later(FileTime a, FileTime b) {
        return a.compareTo(b) >= 0 ? a : b;
    }
}
