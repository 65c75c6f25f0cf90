package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Statements about extended attributes. */
final class XattrStatements {
    private static final String GET = "SELECT errno, value FROM larder_v1.get_xattr(?, ?)";
    private static final String LIST = "SELECT errno, name FROM larder_v1.list_xattr(?)";
    private static final String SET =
            "SELECT errno, (a).* FROM larder_v1.set_xattr(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String REMOVE = "SELECT errno, (a).* FROM larder_v1.remove_xattr(?, ?, ?, ?, ?, ?, ?, ?, ?)";

    /** XATTR_SIZE_MAX of linux/limits.h. */
    private static final int MAX_VALUE_BYTES = 65_536;

    private final SessionStatements statements;

    XattrStatements(SessionStatements statements) {
        this.statements = statements;
    }

    byte[] get(long inode, FileName name) {
        return statements.query(GET, parameters -> parameters.add(inode).add(name.bytes()), row -> row.getBytes(2));
    }

    List<FileName> list(long inode) {
        return statements.queryRows(LIST, parameters -> parameters.add(inode), rows -> {
            List<FileName> names = new ArrayList<>();
            while (rows.next()) {
                if (rows.getInt(1) != 0) {
                    throw new ErrnoException(Errno.of(rows.getInt(1)));
                }
                names.add(FileName.of(rows.getBytes(2)));
            }
            return names;
        });
    }

    Attributes set(Op op, long inode, FileName name, byte[] value, int flags, Integer newMode, FileTime now) {
        if (value.length > MAX_VALUE_BYTES) {
            throw new ErrnoException(Errno.E2BIG);
        }
        return statements.mutate(
                op,
                SET,
                parameters -> named(parameters, inode, name)
                        .add(value)
                        .add(flags)
                        .addInt(newMode)
                        .add(now),
                RowReading::attributes);
    }

    Attributes remove(Op op, long inode, FileName name, FileTime now) {
        return statements.mutate(
                op, REMOVE, parameters -> named(parameters, inode, name).add(now), RowReading::attributes);
    }

    private static Parameters named(Parameters parameters, long inode, FileName name) throws SQLException {
        return parameters.add(inode).add(name.bytes());
    }
}
