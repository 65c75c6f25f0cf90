package dev.larder.schema;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What a volume's database says about it.
 *
 * @param current whether its schema is this version's
 * @param quotaBytes 0 = none
 * @param quotaInodes 0 = none
 * @param trash how long removed files are kept
 * @param bytes of files that have a name
 * @param inodes that have a name
 * @param objectTables whether the tables for objects are there
 * @param hosts of the sessions that live, each once, in order
 */
public record VolumeState(
        boolean current,
        long quotaBytes,
        long quotaInodes,
        Duration trash,
        long bytes,
        long inodes,
        boolean objectTables,
        List<String> hosts) {
    /** No such database, table, schema: nobody has finished making it. */
    private static final Set<String> ABSENT = Set.of("3D000", "42P01", "3F000");

    private static final String QUERY = """
            SELECT v.quota_bytes, v.quota_inodes, (extract(epoch FROM v.trash) * 1000)::bigint,
                   v.base_bytes + COALESCE((SELECT sum(s.bytes) FROM larder.session_slot s), 0),
                   v.base_inodes + COALESCE((SELECT sum(s.inodes) FROM larder.session_slot s), 0),
                   to_regclass('larder_objects.chunk') IS NOT NULL,
                   ARRAY(SELECT DISTINCT s.host FROM larder.session s
                         WHERE NOT s.fenced AND s.expires > clock_timestamp() ORDER BY 1)
            FROM larder.volume v
            """;

    public VolumeState {
        hosts = List.copyOf(hosts);
    }

    /**
     * @return empty while the database is not there, or not finished
     * @throws PostgresException when it cannot be asked
     */
    public static Optional<VolumeState> read(ServerLogin admin, UUID volume) {
        String database = SchemaMigration.databaseName(volume);
        try (Connection connection = SchemaMigration.connect(admin, database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(QUERY)) {
            return row.next()
                    ? Optional.of(read(row, SchemaState.read(connection).isCurrent()))
                    : Optional.empty();
        } catch (SQLException e) {
            if (ABSENT.contains(e.getSQLState())) {
                return Optional.empty();
            }
            throw new PostgresException("cannot ask " + database + " on " + admin + ": " + e.getMessage(), e);
        }
    }

    private static VolumeState read(ResultSet row, boolean current) throws SQLException {
        return new VolumeState(
                current,
                row.getLong(1),
                row.getLong(2),
                Duration.ofMillis(row.getLong(3)),
                row.getLong(4),
                row.getLong(5),
                row.getBoolean(6),
                List.of((String[]) row.getArray(7).getArray()));
    }
}
