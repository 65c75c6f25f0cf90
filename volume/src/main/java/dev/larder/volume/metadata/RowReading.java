package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import java.sql.ResultSet;
import java.sql.SQLException;

/** How columns of an answer become values. */
final class RowReading {
    /** The columns of larder.attributes. */
    static final int ATTRIBUTE_COLUMNS = 20;

    private RowReading() {}

    interface Reader<T> {
        T read(ResultSet row) throws SQLException;
    }

    /** The row's first column is errno, the attributes follow. */
    static Attributes attributes(ResultSet row) throws SQLException {
        return attributes(row, 2);
    }

    /** @return null when the columns are null */
    static Attributes attributes(ResultSet row, int first) throws SQLException {
        long inode = row.getLong(first);
        if (row.wasNull()) {
            return null;
        }
        return new Attributes(
                inode,
                row.getInt(first + 1),
                row.getLong(first + 2),
                row.getLong(first + 3),
                row.getInt(first + 4),
                row.getLong(first + 5),
                row.getLong(first + 6),
                row.getLong(first + 7),
                time(row, first + 8),
                time(row, first + 10),
                time(row, first + 12),
                time(row, first + 14),
                row.getLong(first + 16),
                row.getLong(first + 17),
                row.getLong(first + 18),
                row.getInt(first + 19));
    }

    private static FileTime time(ResultSet row, int column) throws SQLException {
        return new FileTime(row.getLong(column), row.getInt(column + 1));
    }
}
