package dev.larder.volume.metadata;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/** A session from its opening to its end: lease, durability, holds, leased numbers. */
final class SessionLife {
    private static final String OPEN = "SELECT errno, epoch, volume FROM larder_v1.session_open(?, ?, ?, ?, ?, ?)";
    private static final String OPEN_EXCLUSIVE =
            "SELECT errno, epoch, volume FROM larder_v1.session_open_exclusive(?, ?, ?, ?, ?, ?)";
    private static final String END = "SELECT errno FROM larder_v1.session_end(?, ?)";
    private static final String HEARTBEAT =
            "SELECT errno, used_bytes, used_inodes, quota_bytes, quota_inodes, incarnation"
                    + " FROM larder_v1.heartbeat(?, ?)";
    private static final String FLUSH = "SELECT errno, incarnation FROM larder_v1.flush()";
    private static final String LEASE_INODES = "SELECT errno, first FROM larder_v1.lease_inodes(?, ?, ?)";
    private static final String HOLD = "SELECT errno FROM larder_v1.hold(?, ?, ?)";
    private static final String RELEASE_HOLDS = "SELECT errno FROM larder_v1.release_holds(?, ?, ?)";

    private final SessionStatements statements;
    private volatile UUID volume;

    SessionLife(SessionStatements statements) {
        this.statements = statements;
    }

    UUID volume() {
        return volume;
    }

    void open(MetadataOptions options) {
        boolean continued = options.continued() != null;
        try {
            statements.query(
                    options.exclusive() ? OPEN_EXCLUSIVE : OPEN,
                    parameters -> parameters
                            .add(statements.session())
                            .add(continued)
                            .add(options.host())
                            .add(options.mount())
                            .add(options.lease().toMillis())
                            .add(options.slots()),
                    row -> {
                        statements.opened(row.getLong(2));
                        volume = row.getObject(3, UUID.class);
                        return volume;
                    });
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESTALE && e.getCause() == null) {
                throw new ErrnoException(
                        Errno.ESTALE,
                        "session " + statements.session()
                                + " cannot be continued: the volume does not know it, or it has ended or was fenced;"
                                + " start a new session");
            }
            throw e;
        }
    }

    void end(Duration within) {
        statements.query(within, END, this::bindSession, row -> null);
    }

    UUID flush() {
        return statements.query(FLUSH, parameters -> {}, row -> row.getObject(2, UUID.class));
    }

    Heartbeat heartbeat() {
        return statements.query(
                HEARTBEAT,
                this::bindSession,
                row -> new Heartbeat(
                        row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5), row.getObject(6, UUID.class)));
    }

    long leaseInodes(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("a lease of " + count + " inode numbers");
        }
        return statements.query(
                LEASE_INODES,
                parameters -> {
                    bindSession(parameters);
                    parameters.add(count);
                },
                row -> row.getLong(2));
    }

    void hold(List<Long> inodes) {
        onInodes(HOLD, inodes);
    }

    void releaseHolds(List<Long> inodes) {
        onInodes(RELEASE_HOLDS, inodes);
    }

    private void onInodes(String sql, List<Long> inodes) {
        if (inodes.isEmpty()) {
            return;
        }
        statements.query(
                sql,
                parameters -> {
                    bindSession(parameters);
                    parameters.addLongs(inodes);
                },
                row -> null);
    }

    private void bindSession(Parameters parameters) throws SQLException {
        parameters.add(statements.session()).add(statements.epoch());
    }
}
