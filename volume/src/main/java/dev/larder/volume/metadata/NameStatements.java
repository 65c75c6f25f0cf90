package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata.DefaultAclException;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.Metadata.Renamed;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Statements about names and attributes. */
final class NameStatements {
    private static final String LOOKUP = "SELECT errno, (a).* FROM larder_v1.lookup(?, ?, ?)";
    private static final String ATTRIBUTES = "SELECT errno, (a).* FROM larder_v1.attributes(?)";
    private static final String READLINK = "SELECT errno, target FROM larder_v1.readlink(?)";
    private static final String CREATE =
            "SELECT errno, (a).*, acl FROM larder_v1.create_inode(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String LINK = "SELECT errno, (a).* FROM larder_v1.link(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String UNLINK = "SELECT errno, (a).* FROM larder_v1.unlink(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String RMDIR = "SELECT errno, ino FROM larder_v1.rmdir(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String RENAME =
            "SELECT errno, (a).*, (replaced).* FROM larder_v1.rename(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String SET_ATTRIBUTES =
            "SELECT errno, (a).* FROM larder_v1.set_attributes(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String LIST = "SELECT errno, hash, type, name, ino FROM larder_v1.list(?, ?, ?, false)";
    private static final String LIST_PLUS =
            "SELECT errno, hash, type, name, ino, (a).* FROM larder_v1.list(?, ?, ?, true)";

    private static final int ACL_COLUMN = 2 + RowReading.ATTRIBUTE_COLUMNS;
    private static final int REPLACED_COLUMN = 2 + RowReading.ATTRIBUTE_COLUMNS;

    private final SessionStatements statements;

    NameStatements(SessionStatements statements) {
        this.statements = statements;
    }

    Attributes lookup(long parent, FileName name) {
        return statements.query(LOOKUP, parameters -> entry(parameters, parent, name), RowReading::attributes);
    }

    Attributes attributes(long inode) {
        return statements.query(ATTRIBUTES, parameters -> parameters.add(inode), RowReading::attributes);
    }

    byte[] readlink(long inode) {
        return statements.query(READLINK, parameters -> parameters.add(inode), row -> row.getBytes(2));
    }

    /** @param name null for a file without a name */
    Attributes create(Op op, long parent, FileName name, NewInode inode) {
        return statements.mutate(
                op,
                CREATE,
                parameters -> {
                    if (name == null) {
                        parameters.add(parent).add(0L).add((byte[]) null);
                    } else {
                        entry(parameters, parent, name);
                    }
                    parameters
                            .add(inode.inode())
                            .add(inode.mode())
                            .add(inode.uid())
                            .add(inode.gid())
                            .add(inode.rdev())
                            .add(inode.target())
                            .add(inode.accessAcl())
                            .add(inode.defaultAcl())
                            .add(inode.aclAware())
                            .add(inode.now());
                },
                NameStatements::created);
    }

    private static Attributes created(ResultSet row) throws SQLException {
        Attributes attributes = RowReading.attributes(row);
        if (attributes == null) {
            throw new DefaultAclException(row.getBytes(ACL_COLUMN));
        }
        return attributes;
    }

    Attributes link(Op op, long inode, long newParent, FileName newName, FileTime now) {
        return statements.mutate(
                op,
                LINK,
                parameters -> {
                    parameters.add(inode);
                    entry(parameters, newParent, newName).add(now);
                },
                RowReading::attributes);
    }

    Attributes unlink(Op op, long parent, FileName name, FileTime now, boolean hold) {
        return statements.mutate(
                op,
                UNLINK,
                parameters -> entry(parameters, parent, name).add(now).add(hold),
                RowReading::attributes);
    }

    long rmdir(Op op, long parent, FileName name, FileTime now) {
        return statements.mutate(
                op, RMDIR, parameters -> entry(parameters, parent, name).add(now), row -> row.getLong(2));
    }

    Renamed rename(
            Op op,
            long parent,
            FileName name,
            long newParent,
            FileName newName,
            int flags,
            FileTime now,
            boolean holdReplaced) {
        return statements.mutate(
                op,
                RENAME,
                parameters -> {
                    entry(parameters, parent, name);
                    entry(parameters, newParent, newName).add(flags).add(now).add(holdReplaced);
                },
                row -> new Renamed(RowReading.attributes(row), RowReading.attributes(row, REPLACED_COLUMN)));
    }

    Attributes setAttributes(Op op, long inode, SetAttributes change) {
        if (change.size() != null && change.size() < 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        return statements.mutate(
                op,
                SET_ATTRIBUTES,
                parameters -> parameters
                        .add(inode)
                        .addInt(change.mode())
                        .addLong(change.uid())
                        .addLong(change.gid())
                        .addLong(change.size())
                        .add(change.atime())
                        .add(change.mtime())
                        .add(change.ctime())
                        .add(change.killSuidgid()),
                RowReading::attributes);
    }

    List<DirectoryEntry> list(long inode, long afterCookie, int limit, boolean withAttributes) {
        return statements.queryRows(
                withAttributes ? LIST_PLUS : LIST,
                parameters -> parameters.add(inode).add(afterCookie).add(limit),
                rows -> entries(rows, withAttributes));
    }

    private static List<DirectoryEntry> entries(ResultSet rows, boolean withAttributes) throws SQLException {
        List<DirectoryEntry> entries = new ArrayList<>();
        while (rows.next()) {
            int errno = rows.getInt(1);
            if (errno != 0) {
                throw new ErrnoException(Errno.of(errno));
            }
            entries.add(new DirectoryEntry(
                    FileName.of(rows.getBytes(4)),
                    rows.getLong(2),
                    rows.getLong(5),
                    rows.getInt(3),
                    withAttributes ? RowReading.attributes(rows, 6) : null));
        }
        return entries;
    }

    private static Parameters entry(Parameters parameters, long parent, FileName name) throws SQLException {
        return parameters.add(parent).add(name.cookie()).add(name.bytes());
    }
}
