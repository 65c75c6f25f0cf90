package dev.larder.volume.engine;

import dev.larder.volume.FileName;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Directories of which every name is known, because they were made here or listed here from the first name to the last,
 * and those of which a part has been listed: they tell what is there, not what is missing. A name that another session changed, or that changed here while the list was under way, is in doubt: it is asked for
 * until the directory is listed again. Bounded; what is too large is not kept.
 */
final class KnownDirectories {
    private static final int MAX_DOUBTS = 1_000;

    private final ConcurrentHashMap<Long, Directory> directories = new ConcurrentHashMap<>();
    private final AtomicLong names = new AtomicLong();
    private final int maxNamesPerDirectory;
    private final long maxNames;

    KnownDirectories(int maxNamesPerDirectory, long maxNames) {
        this.maxNamesPerDirectory = maxNamesPerDirectory;
        this.maxNames = maxNames;
    }

    /** Guarded by itself. */
    private static final class Directory {
        private final Map<FileName, Long> inodes = new HashMap<>();
        private final Set<FileName> doubts = new HashSet<>();
        private final Map<FileName, Integer> inFlight = new HashMap<>();
        private boolean complete;
        private boolean dead;
        private long lastCookie;
    }

    /** The inode of a name; 0 = there is none; null = not known. */
    Long find(long parent, FileName name) {
        Directory directory = directories.get(parent);
        if (directory == null) {
            return null;
        }
        synchronized (directory) {
            if (directory.doubts.contains(name) || directory.inFlight.containsKey(name)) {
                return null;
            }
            Long inode = directory.inodes.get(name);
            return inode == null && directory.complete && !directory.dead ? Long.valueOf(0) : inode;
        }
    }

    boolean complete(long parent) {
        Directory directory = directories.get(parent);
        if (directory == null) {
            return false;
        }
        synchronized (directory) {
            return directory.complete && !directory.dead;
        }
    }

    /** A directory is about to be made here; to be told before the statement. */
    Making make(long inode) {
        return new Making(inode, replace(inode));
    }

    /** A directory that is being made here: complete and empty when it has been. */
    final class Making {
        private final long inode;
        private final Directory directory;

        private Making(long inode, Directory directory) {
            this.inode = inode;
            this.directory = directory;
        }

        void end(boolean made) {
            if (!made) {
                drop(inode);
                return;
            }
            synchronized (directory) {
                directory.complete = !directory.dead;
            }
        }
    }

    /**
     * A page of a directory is about to be read.
     *
     * @return null when the page adds nothing
     */
    Listing list(long inode, long afterCookie) {
        Directory directory = directories.get(inode);
        if (afterCookie == 0) {
            return directory != null && complete(inode) ? null : new Listing(inode, replace(inode));
        }
        if (directory == null) {
            return null;
        }
        synchronized (directory) {
            boolean next = !directory.complete && !directory.dead && directory.lastCookie == afterCookie;
            return next ? new Listing(inode, directory) : null;
        }
    }

    /** A page of a list from the first name on. */
    final class Listing {
        private final long inode;
        private final Directory directory;

        private Listing(long inode, Directory directory) {
            this.inode = inode;
            this.directory = directory;
        }

        void page(List<DirectoryEntry> entries, boolean last) {
            int kept;
            synchronized (directory) {
                for (DirectoryEntry entry : entries) {
                    put(directory, entry.name(), entry.inode());
                    directory.lastCookie = entry.cookie();
                }
                directory.complete = last && !directory.dead;
                kept = directory.inodes.size();
            }
            bound(inode, kept);
        }
    }

    /** A name is about to be made, removed or moved here. */
    Naming begin(long parent, FileName name) {
        Directory directory = directories.get(parent);
        if (directory != null) {
            synchronized (directory) {
                directory.inFlight.merge(name, 1, Integer::sum);
            }
        }
        return new Naming(parent, name, directory);
    }

    /** One own change of one name; without an outcome the name is in doubt. */
    final class Naming {
        private final long parent;
        private final FileName name;
        private final Directory directory;
        private Long outcome;

        private Naming(long parent, FileName name, Directory directory) {
            this.parent = parent;
            this.name = name;
            this.directory = directory;
        }

        /** @param inode what the name means now, 0 = nothing */
        void means(long inode) {
            outcome = inode;
        }

        void end() {
            if (directories.get(parent) != directory) {
                doubt(parent, name); // listed anew while this was under way, perhaps without it
            }
            if (directory == null) {
                return;
            }
            int kept;
            synchronized (directory) {
                boolean alone = directory.inFlight.merge(name, -1, (a, b) -> a + b == 0 ? null : a + b) == null;
                if (outcome == null || !alone || !directory.complete) {
                    addDoubt(directory, name);
                } else if (outcome == 0) {
                    remove(directory, name);
                } else {
                    put(directory, name, outcome);
                }
                kept = directory.inodes.size();
            }
            bound(parent, kept);
        }
    }

    /** A name may have changed elsewhere. */
    void doubt(long parent, FileName name) {
        Directory directory = directories.get(parent);
        if (directory == null) {
            return;
        }
        boolean tooMany;
        synchronized (directory) {
            addDoubt(directory, name);
            tooMany = directory.doubts.size() > MAX_DOUBTS;
        }
        if (tooMany) {
            drop(parent);
        }
    }

    void drop(long inode) {
        Directory directory = directories.remove(inode);
        if (directory != null) {
            kill(directory);
        }
    }

    void clear() {
        directories.keySet().forEach(this::drop);
    }

    private Directory replace(long inode) {
        Directory fresh = new Directory();
        Directory old = directories.put(inode, fresh);
        if (old != null) {
            kill(old);
        }
        return fresh;
    }

    private void kill(Directory directory) {
        synchronized (directory) {
            directory.dead = true;
            directory.complete = false;
            names.addAndGet(-directory.inodes.size());
            directory.inodes.clear();
        }
    }

    private void addDoubt(Directory directory, FileName name) {
        remove(directory, name);
        directory.doubts.add(name);
    }

    private void put(Directory directory, FileName name, long inode) {
        if (!directory.dead && !directory.doubts.contains(name) && directory.inodes.put(name, inode) == null) {
            names.incrementAndGet();
        }
    }

    private void remove(Directory directory, FileName name) {
        if (directory.inodes.remove(name) != null) {
            names.decrementAndGet();
        }
    }

    private void bound(long inode, int kept) {
        if (kept > maxNamesPerDirectory) {
            drop(inode);
        }
        var others = directories.keySet().iterator();
        while (names.get() > maxNames && others.hasNext()) {
            drop(others.next());
        }
    }
}
