package dev.larder.volume.metadata;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.Op;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/** Statements about file locks. */
final class LockStatements {
    /** How long a recorded wait counts: the waiter asks again before, also to notice a holder that died. */
    static final Duration WAIT_RECORD = Duration.ofSeconds(60);

    private static final String TEST =
            "SELECT x.owner, x.pid, x.type, x.first, x.last" + " FROM larder_v1.test_lock(?, ?, ?, ?, ?, ?, ?) x";
    private static final String SET = "SELECT x.owner, x.pid, x.type, x.first, x.last, x.errno"
            + " FROM larder_v1.set_lock(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) x";
    private static final String STOP_WAITING = "SELECT * FROM larder_v1.stop_waiting(?, ?, ?)";

    private final SessionStatements statements;

    LockStatements(SessionStatements statements) {
        this.statements = statements;
    }

    FileLock testLock(long inode, FileLock wanted) {
        return statements.queryRows(
                TEST,
                parameters -> parameters
                        .add(statements.session())
                        .add(inode)
                        .add(wanted.owner())
                        .add(wanted.flock())
                        .add(wanted.start())
                        .add(wanted.end())
                        .add(wanted.type()),
                rows -> rows.next() ? lock(rows, wanted.flock()) : null);
    }

    FileLock setLock(Op op, long inode, FileLock lock, boolean waiting) {
        return statements.mutateRows(
                op,
                SET,
                parameters -> parameters
                        .add(inode)
                        .add(lock.owner())
                        .add(lock.pid())
                        .add(lock.flock())
                        .add(lock.flock() ? 0 : lock.start())
                        .add(lock.flock() ? Long.MAX_VALUE : lock.end())
                        .add(lock.type())
                        .add(waiting ? WAIT_RECORD.toMillis() : 0L),
                rows -> granted(rows, lock.flock()));
    }

    private static FileLock granted(ResultSet rows, boolean flock) throws SQLException {
        if (!rows.next()) {
            throw new SQLException("larder_v1.set_lock answered no row");
        }
        int errno = rows.getInt(6);
        if (errno != 0 && errno != Errno.EAGAIN.value()) {
            throw new ErrnoException(Errno.of(errno));
        }
        return errno == 0 ? null : lock(rows, flock);
    }

    void stopWaiting(long inode, long owner) {
        statements.query(
                STOP_WAITING,
                parameters -> parameters.add(statements.session()).add(inode).add(owner),
                row -> true);
    }

    /** @return null when there is none */
    private static FileLock lock(ResultSet row, boolean flock) throws SQLException {
        long owner = row.getLong(1);
        return row.wasNull()
                ? null
                : new FileLock(owner, row.getInt(2), row.getInt(3), row.getLong(4), row.getLong(5), flock);
    }
}
