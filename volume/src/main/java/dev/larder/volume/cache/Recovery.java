package dev.larder.volume.cache;

import dev.larder.volume.cache.CacheDirectory.LastStop;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens index and journal and makes them agree with each other and with the files. */
final class Recovery {
    private static final Logger log = LoggerFactory.getLogger(Recovery.class);

    private final CacheDirectory directory;
    private final Disk disk;
    private final Index index;
    private final DirtyJournal journal;
    private volatile DiskCache cache;

    Recovery(CacheDirectory directory, Disk disk, CacheOptions options) {
        this.directory = directory;
        this.disk = disk;
        Index opened = null;
        try {
            opened = Index.open(directory.index());
            index = opened;
            journal = new DirtyJournal(directory.journal(), disk, options.journalRecords(), this::checkpoint);
        } catch (RuntimeException e) {
            if (opened != null) {
                opened.close();
            }
            directory.close();
            throw e;
        }
    }

    Index index() {
        return index;
    }

    DirtyJournal journal() {
        return journal;
    }

    void hand(DiskCache owner) {
        cache = owner;
    }

    void abandon() {
        journal.close();
        index.close();
        directory.close();
    }

    private void checkpoint() {
        if (cache != null) {
            cache.checkpoint();
        }
    }

    /** @return the files with dirty ranges; all else is in the index */
    Map<Long, Replay.State> run() {
        boolean powerLost = directory.lastStop() == LastStop.POWER_LOST;
        journal.atLeast(index.sequence() + 1);
        if (powerLost) {
            index.clear();
        }
        Map<Long, Replay.State> states =
                powerLost ? Replay.forcedOnly(journal.records()) : Replay.full(journal.records(), index::get);
        Map<Long, Replay.State> dirty = new HashMap<>();
        long sequence = journal.sequence();
        states.forEach((inode, state) -> settle(inode, state, sequence, dirty));
        index.commit();
        if (powerLost || index.rebuilt()) {
            directory.eachFile(inode -> deleteUnknown(inode, dirty));
        }
        if (directory.lastStop() != LastStop.CLEAN) {
            log.info(
                    "cache recovered: directory={} stop={} files={} dirtyFiles={}",
                    directory.root(),
                    directory.lastStop(),
                    index.size(),
                    dirty.size());
        }
        return dirty;
    }

    private void settle(long inode, Replay.State state, long sequence, Map<Long, Replay.State> dirty) {
        RangeMap ranges = state.ranges();
        if (ranges.isEmpty()) {
            index.remove(inode, sequence);
            disk.unlink(directory.file(inode));
            return;
        }
        cut(inode, state.length());
        index.put(
                inode,
                new IndexEntry(
                        sequence,
                        ranges.all().stream().filter(p -> !p.isDirty()).toList()));
        if (ranges.dirtyBytes() > 0) {
            dirty.put(inode, state);
        }
    }

    /** A truncation that was journalled but may not have reached the file. */
    private void cut(long inode, long length) {
        if (length < 0) {
            return;
        }
        int descriptor = disk.open(directory.file(inode));
        try {
            if (disk.length(descriptor) > length) {
                disk.truncate(descriptor, length);
            }
        } finally {
            disk.close(descriptor);
        }
    }

    private void deleteUnknown(long inode, Map<Long, Replay.State> dirty) {
        if (!dirty.containsKey(inode) && !index.contains(inode)) {
            disk.unlink(directory.file(inode));
        }
    }
}
