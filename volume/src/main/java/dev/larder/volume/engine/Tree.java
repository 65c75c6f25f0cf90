package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Walks a volume's directories, page by page. */
record Tree(Metadata metadata) {
    private static final int PAGE = 1_000;
    private static final int DT_DIR = Attributes.S_IFDIR >> 12;
    private static final int DT_REG = Attributes.S_IFREG >> 12;

    interface Visitor {
        void visit(String path, long inode);
    }

    private record Directory(String path, long inode) {}

    /** Every regular file below a directory. */
    void files(String path, long root, Visitor each) {
        String top = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        Deque<Directory> directories = new ArrayDeque<>(List.of(new Directory(top, root)));
        while (!directories.isEmpty()) {
            Directory directory = directories.pop();
            long after = 0;
            List<DirectoryEntry> page;
            do {
                page = metadata.list(directory.inode, after, PAGE, false);
                for (DirectoryEntry entry : page) {
                    after = entry.cookie();
                    String below = directory.path + "/" + entry.name();
                    if (entry.direntType() == DT_DIR) {
                        directories.push(new Directory(below, entry.inode()));
                    } else if (entry.direntType() == DT_REG) {
                        each.visit(below, entry.inode());
                    }
                }
            } while (page.size() >= PAGE);
        }
    }
}
