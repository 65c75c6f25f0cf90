package dev.larder.volume.metadata;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Brings a removed tree back from its top, a bounded number of names a statement. Broken off, it may be repeated: what is
 * back stays. One use, one thread.
 */
final class TrashRestore {
    private static final int NAMES_A_STATEMENT = 200;

    private final SessionStatements statements;
    private final Deque<Long> directories = new ArrayDeque<>();

    TrashRestore(SessionStatements statements) {
        this.statements = statements;
    }

    /** @return the path it has now */
    String run(long inode) {
        String path = statements.query(
                "SELECT * FROM larder_v1.trash_restore(?)", parameters -> parameters.add(inode), row -> {
                    if (row.getBoolean(3)) {
                        directories.add(inode);
                    }
                    return new String(row.getBytes(2), StandardCharsets.UTF_8);
                });
        while (!directories.isEmpty()) {
            long directory = directories.poll();
            byte[] after = {};
            while (after != null) {
                after = below(directory, after);
            }
        }
        return path;
    }

    /** @return the last name; null when there are no more */
    private byte[] below(long directory, byte[] after) {
        return statements.queryRows(
                "SELECT * FROM larder_v1.trash_restore_below(?, ?, ?)",
                parameters -> parameters.add(directory).add(after).add(NAMES_A_STATEMENT),
                rows -> {
                    byte[] last = null;
                    while (rows.next()) {
                        if (rows.getBytes(2) == null) {
                            directories.add(rows.getLong(1));
                        } else {
                            last = rows.getBytes(2);
                        }
                    }
                    return last;
                });
    }
}
