package dev.larder.agent;

import dev.larder.agent.fuse.BackingRecorder;
import dev.larder.volume.cache.MappedJournal;
import dev.larder.volume.cache.MappedJournal.JournalRecord;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The backing ids that the kernel holds for a mount, in a journal that outlives this process. */
final class BackingIds implements BackingRecorder, AutoCloseable {
    private static final int OPENED = 1;
    private static final int CLOSED = 2;
    private static final long MINIMUM_RECORDS = 1024;

    private final MappedJournal journal;
    private final Map<Long, Integer> open = new ConcurrentHashMap<>();

    private BackingIds(MappedJournal journal) {
        this.journal = journal;
        live(journal.records()).forEach(record -> open.put(record.value(0), (int) record.value(1)));
    }

    static BackingIds open(Path directory) {
        return new BackingIds(MappedJournal.open(directory, MINIMUM_RECORDS, BackingIds::live));
    }

    private static List<JournalRecord> live(List<JournalRecord> records) {
        Map<Long, JournalRecord> live = new LinkedHashMap<>();
        for (JournalRecord record : records) {
            if (record.kind() == OPENED) {
                live.put(record.value(0), record);
            } else {
                live.remove(record.value(0));
            }
        }
        return new ArrayList<>(live.values());
    }

    @Override
    public void opened(long inode, int backingId) {
        append(OPENED, inode, backingId);
        open.put(inode, backingId);
    }

    @Override
    public void closed(long inode, int backingId) {
        append(CLOSED, inode, backingId);
        open.remove(inode, backingId);
    }

    @Override
    public int backing(long inode) {
        return open.getOrDefault(inode, 0);
    }

    private void append(int kind, long inode, int backingId) {
        if (journal.isCrowded()) {
            journal.compact();
        }
        journal.append(kind, inode, backingId, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        journal.close();
    }
}
