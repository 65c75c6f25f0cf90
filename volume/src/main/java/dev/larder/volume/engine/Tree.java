package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.LongConsumer;

/** Walks a volume's directories, page by page. */
record Tree(Metadata metadata) {
    private static final int PAGE = 1_000;
    private static final int DT_DIR = Attributes.S_IFDIR >> 12;
    private static final int DT_REG = Attributes.S_IFREG >> 12;

    /** Every regular file below a directory. */
    void files(long root, LongConsumer each) {
        Deque<Long> directories = new ArrayDeque<>(List.of(root));
        while (!directories.isEmpty()) {
            long directory = directories.pop();
            long after = 0;
            List<DirectoryEntry> page;
            do {
                page = metadata.list(directory, after, PAGE, false);
                for (DirectoryEntry entry : page) {
                    after = entry.cookie();
                    if (entry.direntType() == DT_DIR) {
                        directories.push(entry.inode());
                    } else if (entry.direntType() == DT_REG) {
                        each.accept(entry.inode());
                    }
                }
            } while (page.size() >= PAGE);
        }
    }
}
