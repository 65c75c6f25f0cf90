package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Maintenance.DiskUsage;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Sums a tree in breadth, a bounded number of directories and of names a statement: no long snapshot. One use, one thread. */
final class UsageWalk {
    private static final int DIRECTORIES_A_STATEMENT = 500;
    private static final int NAMES_A_STATEMENT = 10_000;

    private final SessionStatements statements;
    private final Deque<Long> directories = new ArrayDeque<>();
    private final Set<Long> seenLinked = new HashSet<>();
    private long files;
    private long directoryCount;
    private long sizeBytes;
    private long allocatedBytes;

    UsageWalk(SessionStatements statements) {
        this.statements = statements;
    }

    /** @throws ErrnoException ENOTDIR, ESTALE */
    DiskUsage below(long inode) {
        Attributes root = new ContentStatements(statements).content(inode, 0, 0).attributes();
        if (!root.isDirectory()) {
            throw new ErrnoException(Errno.ENOTDIR);
        }
        directories.add(inode);
        directoryCount = 1;
        while (!directories.isEmpty()) {
            List<Long> step = new ArrayList<>();
            while (!directories.isEmpty() && step.size() < DIRECTORIES_A_STATEMENT) {
                step.add(directories.poll());
            }
            Place at = new Place(step, Long.MIN_VALUE, new byte[0]);
            while (at != null) {
                at = page(at);
            }
        }
        return new DiskUsage(files, directoryCount, sizeBytes, allocatedBytes);
    }

    /** The first directory is read on behind a name, the others from their beginning. */
    private record Place(List<Long> directories, long hash, byte[] name) {
        Place in(long directory, long atHash, byte[] atName) {
            return new Place(directories.subList(directories.indexOf(directory), directories.size()), atHash, atName);
        }
    }

    /** @return null behind the last name */
    private Place page(Place at) {
        return statements.queryRows(
                "SELECT * FROM larder_v1.usage_step(?, ?, ?, ?)",
                parameters -> parameters
                        .addLongs(at.directories())
                        .add(at.hash())
                        .add(at.name())
                        .add(NAMES_A_STATEMENT),
                rows -> {
                    Place next = null;
                    while (rows.next()) {
                        byte[] name = rows.getBytes(6);
                        if (name == null) {
                            add(rows);
                        } else {
                            next = at.in(rows.getLong(1), rows.getLong(3), name);
                        }
                    }
                    return next;
                });
    }

    /** A directory may be met twice when it is renamed meanwhile, a file with several names always. */
    private void add(ResultSet row) throws SQLException {
        long inode = row.getLong(1);
        if (!row.wasNull() && !seenLinked.add(inode)) {
            return;
        }
        if (row.getBoolean(2)) {
            directories.add(inode);
            directoryCount++;
        } else {
            long count = row.getLong(3);
            files += inode == 0 ? count : 1;
            sizeBytes += inode == 0 ? row.getLong(4) : row.getLong(4) / count;
            allocatedBytes += inode == 0 ? row.getLong(5) : row.getLong(5) / count;
        }
    }
}
