package dev.larder.volume.objects;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.postgresql.PGStatement;

/**
 * Objects as chunks in the two {@linkplain dev.larder.schema.ObjectTables tables} of a database, so that one database holds all of a volume. A put is one transaction,
 * synchronously committed; a read is one statement and so sees one version of the object; of a range only the chunks
 * that hold it are fetched. The driver hands out chunks as arrays: a read holds {@value #FETCH_ROWS} chunks of
 * {@value #CHUNK_BYTES} bytes on the heap, for a moment.
 */
public final class PostgresStore implements ObjectStore {
    private static final int CHUNK_BYTES = 256 << 10;
    private static final int FETCH_ROWS = 4;
    private static final int PAGE_ROWS = 1000;
    private static final int STATEMENT_TIMEOUT_S = 60;

    /** Greater than every character of a key, in the byte order that the key column has. */
    private static final String LAST = "~";

    private final DataSource database;
    private final String place;
    private final String prefix;

    /**
     * @param database closed by its owner, not by the store
     * @param place for people: host and name of the database, no secret
     * @param prefix put before every key, may be empty
     */
    public PostgresStore(DataSource database, String place, String prefix) {
        this.database = database;
        this.place = place;
        this.prefix = ObjectKey.storePrefix(prefix);
    }

    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        String whole = prefix + ObjectKey.valid(key);
        inTransaction("put", connection -> {
            upsert(connection, whole, bytes.byteSize());
            update(connection, "DELETE FROM larder_objects.chunk WHERE key = ?", whole);
            insertChunks(connection, whole, bytes);
            return null;
        });
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        String whole = prefix + ObjectKey.valid(key);
        long end = offset + into.byteSize();
        Found found = inTransaction("get", connection -> fetch(connection, whole, offset, into));
        if (found == null) {
            throw new MissingObjectException(key);
        }
        if (end > found.size) {
            throw new EOFException("object " + key + " ends at byte " + found.size + ", " + end + " were asked for");
        }
        if (found.fetched != into.byteSize()) {
            throw new CorruptContentException("of " + into.byteSize() + " bytes of object " + key + " only "
                    + found.fetched + " are in the database " + place + ": chunks are missing; restore a backup");
        }
    }

    @Override
    public long size(String key) throws IOException {
        String whole = prefix + ObjectKey.valid(key);
        Long size = inTransaction("read the size of an object", connection -> {
            try (PreparedStatement query =
                    prepare(connection, "SELECT size FROM larder_objects.object WHERE key = ?")) {
                query.setString(1, whole);
                try (ResultSet row = query.executeQuery()) {
                    return row.next() ? row.getLong(1) : null;
                }
            }
        });
        if (size == null) {
            throw new MissingObjectException(key);
        }
        return size;
    }

    @Override
    public void delete(Iterable<String> keys) throws IOException {
        List<String> batch = new ArrayList<>();
        for (String key : keys) {
            batch.add(prefix + ObjectKey.valid(key));
            if (batch.size() == PAGE_ROWS) {
                deleteBatch(batch);
                batch.clear();
            }
        }
        if (!batch.isEmpty()) {
            deleteBatch(batch);
        }
    }

    @Override
    public void list(String keyPrefix, Consumer<Listed> each) throws IOException {
        String from = prefix + ObjectKey.validPrefix(keyPrefix);
        String after = "";
        List<Listed> page;
        do {
            page = page(from, after);
            for (Listed listed : page) {
                after = listed.key();
                each.accept(new Listed(after.substring(prefix.length()), listed.sizeBytes(), listed.lastModified()));
            }
        } while (page.size() == PAGE_ROWS);
    }

    @Override
    public void probe() throws IOException {
        StoreProbe.run(this);
    }

    @Override
    public String describe() {
        return "PostgreSQL " + place + (prefix.isEmpty() ? "" : ", prefix " + prefix);
    }

    @Override
    public String toString() {
        return describe();
    }

    @Override
    public void close() {
        // The data source belongs to its owner.
    }

    /** First of all: its row's lock puts two writers of a key one after the other. */
    private static void upsert(Connection connection, String key, long size) throws SQLException {
        try (PreparedStatement statement = prepare(
                connection,
                "INSERT INTO larder_objects.object (key, size) VALUES (?, ?)"
                        + " ON CONFLICT (key) DO UPDATE SET size = excluded.size, modified = excluded.modified")) {
            statement.setString(1, key);
            statement.setLong(2, size);
            statement.executeUpdate();
        }
    }

    private static void insertChunks(Connection connection, String key, MemorySegment bytes) throws SQLException {
        try (PreparedStatement insert =
                prepare(connection, "INSERT INTO larder_objects.chunk (key, no, data) VALUES (?, ?, ?)")) {
            for (long at = 0; at < bytes.byteSize(); at += CHUNK_BYTES) {
                int length = (int) Math.min(CHUNK_BYTES, bytes.byteSize() - at);
                insert.setString(1, key);
                insert.setLong(2, at / CHUNK_BYTES);
                insert.setBinaryStream(3, new SegmentInputStream(bytes.asSlice(at, length)), length);
                insert.addBatch();
            }
            if (bytes.byteSize() > 0) {
                insert.executeBatch();
            }
        }
    }

    private static Found fetch(Connection connection, String key, long offset, MemorySegment into)
            throws SQLException, IOException {
        try (PreparedStatement query = prepare(connection, """
                SELECT o.size, c.no,
                       substring(c.data from greatest(? - c.no * ?, 0)::int + 1
                                        for (least(? - c.no * ?, ?) - greatest(? - c.no * ?, 0))::int)
                FROM larder_objects.object o
                LEFT JOIN larder_objects.chunk c ON c.key = o.key AND c.no BETWEEN ? AND ?
                WHERE o.key = ? ORDER BY c.no""")) {
            long end = offset + into.byteSize();
            long[] bounds = {offset, CHUNK_BYTES, end, CHUNK_BYTES, CHUNK_BYTES, offset, CHUNK_BYTES};
            for (int i = 0; i < bounds.length; i++) {
                query.setLong(i + 1, bounds[i]);
            }
            query.setLong(8, offset / CHUNK_BYTES);
            query.setLong(9, into.byteSize() == 0 ? -1 : (end - 1) / CHUNK_BYTES);
            query.setString(10, key);
            query.setFetchSize(FETCH_ROWS);
            try (ResultSet rows = query.executeQuery()) {
                return copy(rows, offset, into);
            }
        }
    }

    private static Found copy(ResultSet rows, long offset, MemorySegment into) throws SQLException, IOException {
        Found found = null;
        long done = 0;
        while (rows.next()) {
            found = new Found(rows.getLong(1), 0);
            try (InputStream chunk = rows.getBinaryStream(3)) {
                if (chunk == null) {
                    break;
                }
                byte[] data = chunk.readAllBytes();
                if (data.length > 0 && rows.getLong(2) == (offset + done) / CHUNK_BYTES) {
                    MemorySegment.copy(data, 0, into, ValueLayout.JAVA_BYTE, done, data.length);
                    done += data.length;
                }
            }
        }
        return found == null ? null : new Found(found.size, done);
    }

    private void deleteBatch(List<String> keys) throws IOException {
        inTransaction("delete", connection -> {
            Array array = connection.createArrayOf("text", keys.toArray());
            try {
                // In key order, as every other deleter locks them: no deadlock.
                update(
                        connection,
                        "DELETE FROM larder_objects.object WHERE key IN (SELECT key FROM larder_objects.object"
                                + " WHERE key = ANY (?) ORDER BY key FOR UPDATE)",
                        array);
                update(connection, "DELETE FROM larder_objects.chunk WHERE key = ANY (?)", array);
            } finally {
                array.free();
            }
            return null;
        });
    }

    private List<Listed> page(String from, String after) throws IOException {
        return inTransaction("list", connection -> {
            try (PreparedStatement query = prepare(
                    connection,
                    "SELECT key, size, modified FROM larder_objects.object"
                            + " WHERE key >= ? AND key > ? AND key < ? ORDER BY key LIMIT " + PAGE_ROWS)) {
                query.setString(1, from);
                query.setString(2, after);
                query.setString(3, from + LAST);
                List<Listed> page = new ArrayList<>();
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        Timestamp modified = rows.getTimestamp(3);
                        page.add(new Listed(rows.getString(1), rows.getLong(2), modified.toInstant()));
                    }
                }
                return page;
            }
        });
    }

    private static void update(Connection connection, String sql, Object parameter) throws SQLException {
        try (PreparedStatement statement = prepare(connection, sql)) {
            statement.setObject(1, parameter);
            statement.executeUpdate();
        }
    }

    private static PreparedStatement prepare(Connection connection, String sql) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        statement.setQueryTimeout(STATEMENT_TIMEOUT_S);
        if (statement.isWrapperFor(PGStatement.class)) {
            // Binary from the first execution on: bytea as text is twice as long.
            statement.unwrap(PGStatement.class).setPrepareThreshold(-1);
        }
        return statement;
    }

    private <T> T inTransaction(String action, Work<T> work) throws IOException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                try (Statement durable = connection.createStatement()) {
                    // The volume's role may commit asynchronously by default; an object is durable when it is there.
                    durable.execute("SET LOCAL synchronous_commit = on");
                }
                T result = work.run(connection);
                connection.commit();
                return result;
            } catch (SQLException | IOException | RuntimeException failure) {
                rollBack(connection, failure);
                throw failure;
            }
        } catch (SQLException failure) {
            throw explain(action, failure);
        }
    }

    private static void rollBack(Connection connection, Exception failure) {
        try {
            connection.rollback();
        } catch (SQLException lost) {
            failure.addSuppressed(lost);
        }
    }

    /** By SQLSTATE (PostgreSQL, appendix A). */
    private IOException explain(String action, SQLException failure) {
        String state = String.valueOf(failure.getSQLState());
        String refused = "PostgreSQL " + place + " refuses to " + action + " objects: ";
        if (state.startsWith("28") || state.equals("3D000")) {
            return new StoreAccessException(refused + failure.getMessage() + "; correct the credentials", failure);
        }
        if (state.equals("42501")) {
            return new StoreAccessException(
                    refused + "the role may not use the tables of schema larder_objects; grant them to it", failure);
        }
        if (state.equals("42P01") || state.equals("3F000")) {
            return new StoreAccessException(
                    refused + "there are no tables in schema larder_objects; install them as the owner", failure);
        }
        if (failure instanceof SQLTimeoutException || state.equals("57014")) {
            return new StoreTimeoutException(
                    "PostgreSQL " + place + " did not " + action + " within " + STATEMENT_TIMEOUT_S + " s", failure);
        }
        return new IOException(
                "cannot " + action + " objects in PostgreSQL " + place + ": " + failure.getMessage(), failure);
    }

    private record Found(long size, long fetched) {}

    @FunctionalInterface
    private interface Work<T> {
        T run(Connection connection) throws SQLException, IOException;
    }
}
