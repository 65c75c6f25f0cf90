package dev.larder.volume.metadata;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * From inodes to their paths. A file's name is not indexed by its inode (that would cost every create), so the names are
 * walked in their order, a bounded number a statement and in all. One use, one thread.
 */
final class PathSearch {
    private static final int NAMES_A_STATEMENT = 100_000;
    private static final int MAX_STATEMENTS = 50;

    private final SessionStatements statements;
    private final Map<Long, String> found = new HashMap<>();
    private boolean more = true;
    private long parent;
    private long hash;

    PathSearch(SessionStatements statements) {
        this.statements = statements;
    }

    List<String> of(List<Long> inodes) {
        Set<Long> wanted = new HashSet<>(inodes);
        for (int i = 0; i < MAX_STATEMENTS && more && !wanted.isEmpty(); i++) {
            step(wanted);
            wanted.removeAll(found.keySet());
        }
        return inodes.stream().map(found::get).toList();
    }

    /** The row without an inode says where the step ended; without it there are no more names. */
    private void step(Set<Long> wanted) {
        more = statements.queryRows(
                "SELECT * FROM larder_v1.paths_step(?, ?, ?, ?)",
                parameters -> parameters
                        .addLongs(List.copyOf(wanted))
                        .add(parent)
                        .add(hash)
                        .add(NAMES_A_STATEMENT),
                rows -> {
                    boolean ended = false;
                    while (rows.next()) {
                        long inode = rows.getLong(1);
                        if (rows.wasNull()) {
                            parent = rows.getLong(3);
                            hash = rows.getLong(4);
                            ended = true;
                        } else if (rows.getBytes(2) != null) {
                            found.put(inode, new String(rows.getBytes(2), StandardCharsets.UTF_8));
                        }
                    }
                    return ended;
                });
    }
}
