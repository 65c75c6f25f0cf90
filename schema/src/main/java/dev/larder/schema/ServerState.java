package dev.larder.schema;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * What a server and a login on it can do.
 *
 * @param version as the server writes it
 * @param number such as 160004
 * @param createsDatabases whether the login may
 * @param createsRoles whether the login may
 * @param readOnly a standby
 */
public record ServerState(
        String version, int number, boolean createsDatabases, boolean createsRoles, boolean readOnly) {
    /** The oldest that Larder works with. */
    public static final int LEAST = 140_000;

    /** @throws PostgresException when the server does not answer, or refuses the login */
    public static ServerState read(ServerLogin login) {
        try (Connection connection = SchemaMigration.connect(login, "postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT current_setting('server_version'), current_setting('server_version_num')::int,
                               r.rolcreatedb OR r.rolsuper, r.rolcreaterole OR r.rolsuper, pg_is_in_recovery()
                        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
                        """)) {
            if (!row.next()) {
                throw new PostgresException(login + " is no role of the server");
            }
            return new ServerState(
                    row.getString(1), row.getInt(2), row.getBoolean(3), row.getBoolean(4), row.getBoolean(5));
        } catch (SQLException e) {
            throw new PostgresException("cannot connect to " + login + ": " + e.getMessage(), e);
        }
    }
}
