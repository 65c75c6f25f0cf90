package dev.larder.volume.metadata;

import dev.larder.volume.FileTime;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.UUID;

/** Binds a statement's parameters one after the other. */
final class Parameters {
    private final PreparedStatement statement;
    private int index;

    Parameters(PreparedStatement statement) {
        this.statement = statement;
    }

    interface Binder {
        void bind(Parameters parameters) throws SQLException;
    }

    Parameters add(long value) throws SQLException {
        statement.setLong(++index, value);
        return this;
    }

    Parameters add(int value) throws SQLException {
        statement.setInt(++index, value);
        return this;
    }

    Parameters add(boolean value) throws SQLException {
        statement.setBoolean(++index, value);
        return this;
    }

    /** Null is allowed, here and where a member is an object. */
    Parameters add(byte[] value) throws SQLException {
        statement.setBytes(++index, value);
        return this;
    }

    Parameters add(String value) throws SQLException {
        statement.setString(++index, value);
        return this;
    }

    Parameters add(UUID value) throws SQLException {
        if (value == null) {
            statement.setNull(++index, Types.OTHER, "uuid");
        } else {
            statement.setObject(++index, value);
        }
        return this;
    }

    Parameters addLong(Long value) throws SQLException {
        if (value == null) {
            statement.setNull(++index, Types.BIGINT);
        } else {
            statement.setLong(++index, value);
        }
        return this;
    }

    Parameters addInt(Integer value) throws SQLException {
        if (value == null) {
            statement.setNull(++index, Types.INTEGER);
        } else {
            statement.setInt(++index, value);
        }
        return this;
    }

    /** Two parameters, bigint and int; both null for null. */
    Parameters add(FileTime time) throws SQLException {
        return time == null ? addLong(null).addInt(null) : add(time.seconds()).add(time.nanos());
    }

    Parameters addLongs(List<Long> values) throws SQLException {
        return addArray("int8", values.toArray());
    }

    /** An array of a PostgreSQL type, such as int8, int4, uuid or bytea. */
    Parameters addArray(String type, Object[] values) throws SQLException {
        statement.setArray(++index, statement.getConnection().createArrayOf(type, values));
        return this;
    }
}
