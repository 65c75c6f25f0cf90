package dev.larder.schema;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.UUID;

/**
 * Makes and migrates volumes' databases on one server. For each volume {@code larder_<id>}: a database of that name,
 * its owner role, a role that may only EXECUTE larder_v1, and logins that inherit it: one for each machine, or in a
 * cluster the two of {@link VolumeLogins}. Every step may be repeated, also
 * after it was broken off half-way.
 */
public final class SchemaMigration {
    private static final int CONNECT_TIMEOUT_SECONDS = 10;

    private final ServerLogin admin;

    /** @param admin a login that may create databases and roles */
    public SchemaMigration(ServerLogin admin) {
        this.admin = admin;
    }

    /** The volume's database. */
    public static String databaseName(UUID volume) {
        return "larder_" + volume.toString().replace('-', '_');
    }

    /**
     * Makes what is missing of a volume's database, migrates it and gives the machine's login a new password; those of
     * other machines stay.
     *
     * @param machine at most 12 of a-z and 0-9
     * @throws PostgresException when the server refuses, or the schema is newer than this version
     */
    public VolumeDatabase provision(VolumeRow volume, String machine) {
        String database = databaseName(volume.id());
        String login = login(database, machine);
        provision(volume);
        try (Connection server = connect(admin, "postgres");
                Statement statement = server.createStatement()) {
            createRole(server, login, "LOGIN");
            statement.execute("GRANT " + agent(database) + " TO " + login);
            settings(statement, database, login);
        } catch (SQLException e) {
            throw failed("make the login of volume " + volume.name(), e);
        }
        return rotate(volume.id(), machine);
    }

    /**
     * Makes what is missing of a volume's database and its roles without a login, and migrates it.
     *
     * @throws PostgresException when the server refuses, or the schema is newer than this version
     */
    public void provision(VolumeRow volume) {
        String database = databaseName(volume.id());
        try {
            try (Connection server = connect(admin, "postgres")) {
                createRoles(server, database);
                createDatabase(server, database);
            }
            migrate(volume.id());
            try (Connection connection = connect(admin, database)) {
                insertVolume(connection, volume);
            }
        } catch (SQLException e) {
            throw failed("make the database of volume " + volume.name(), e);
        }
    }

    /** Makes the tables of a volume whose bytes are in its own database; every login of the volume may use them. */
    public void installObjects(UUID volume) {
        String database = databaseName(volume);
        try (Connection connection = connect(admin, database)) {
            ObjectTables.install(connection);
            ObjectTables.grant(connection, agent(database));
        } catch (SQLException e) {
            throw failed("make the tables for objects in " + database, e);
        }
    }

    /** Gives an existing volume these quotas and this time of its trash. */
    public void limit(VolumeRow volume) {
        String database = databaseName(volume.id());
        try (Connection connection = connect(admin, database);
                PreparedStatement update = connection.prepareStatement("UPDATE larder.volume SET quota_bytes = ?,"
                        + " quota_inodes = ?, trash = ? * interval '1 millisecond'"
                        + " WHERE (quota_bytes, quota_inodes, trash)"
                        + " IS DISTINCT FROM (?, ?, ? * interval '1 millisecond')")) {
            for (int first = 1; first <= 4; first += 3) {
                update.setLong(first, volume.quotaBytes());
                update.setLong(first + 1, volume.quotaInodes());
                update.setLong(first + 2, volume.trash().toMillis());
            }
            update.executeUpdate();
        } catch (SQLException e) {
            throw failed("set the limits in " + database, e);
        }
    }

    /** Migrates unless the schema is current, which one query tells. */
    public void migrate(UUID volume) {
        String database = databaseName(volume);
        try (Connection connection = connect(admin, database)) {
            SchemaState state = SchemaState.read(connection);
            state.requireKnown(database);
            if (state.isCurrent()) {
                return;
            }
            FlywayRun.migrate(admin, database, owner(database));
            grant(connection, database);
            SchemaState.record(connection);
        } catch (SQLException e) {
            throw failed("migrate " + database, e);
        }
    }

    /** A new password for a machine's login; open connections stay. */
    public VolumeDatabase rotate(UUID volume, String machine) {
        String database = databaseName(volume);
        String login = login(database, machine);
        byte[] random = new byte[24];
        new SecureRandom().nextBytes(random);
        String password = HexFormat.of().formatHex(random);
        try (Connection server = connect(admin, "postgres");
                Statement statement = server.createStatement()) {
            // Hexadecimal digits: nothing to quote. The server keeps a SCRAM verifier only.
            statement.execute("SET password_encryption = 'scram-sha-256'");
            statement.execute("ALTER ROLE " + login + " PASSWORD '" + password + "'");
        } catch (SQLException e) {
            throw failed("set the password of " + login, e);
        }
        return new VolumeDatabase(admin.url(database), login, password);
    }

    /** Removes a volume's database and roles, with all of its metadata. */
    public void drop(UUID volume) {
        String database = databaseName(volume);
        try (Connection server = connect(admin, "postgres");
                Statement statement = server.createStatement()) {
            statement.execute("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
            for (String login : logins(server, database)) {
                statement.execute("DROP ROLE " + login);
            }
            for (VolumeLogins.Side side : VolumeLogins.Side.values()) {
                statement.execute("DROP ROLE IF EXISTS " + VolumeLogins.name(volume, side));
            }
            statement.execute("DROP ROLE IF EXISTS " + agent(database));
            statement.execute("DROP ROLE IF EXISTS " + owner(database));
        } catch (SQLException e) {
            throw failed("drop " + database, e);
        }
    }

    private static String owner(String database) {
        return database + "_owner";
    }

    private static String agent(String database) {
        return database;
    }

    /** Within the 63 bytes of a PostgreSQL name. */
    private static String login(String database, String machine) {
        if (!machine.matches("[a-z0-9]{1,12}")) {
            throw new IllegalArgumentException("'" + machine + "' is no name of a machine");
        }
        return database + "_m_" + machine;
    }

    private static List<String> logins(Connection server, String database) throws SQLException {
        List<String> logins = new ArrayList<>();
        try (PreparedStatement statement = server.prepareStatement(
                "SELECT rolname FROM pg_catalog.pg_roles WHERE starts_with(rolname, ?) ORDER BY rolname")) {
            statement.setString(1, database + "_m_");
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    logins.add(rows.getString(1));
                }
            }
        }
        return logins;
    }

    private static void createRoles(Connection server, String database) throws SQLException {
        createRole(server, owner(database), "NOLOGIN");
        createRole(server, agent(database), "NOLOGIN");
        try (Statement statement = server.createStatement()) {
            statement.execute("GRANT " + owner(database) + " TO CURRENT_USER");
        }
    }

    static void createRole(Connection server, String role, String option) throws SQLException {
        if (!exists(server, "SELECT FROM pg_catalog.pg_roles WHERE rolname = ?", role)) {
            try (Statement statement = server.createStatement()) {
                statement.execute("CREATE ROLE " + role + " " + option);
            }
        }
    }

    private static void createDatabase(Connection server, String database) throws SQLException {
        try (Statement statement = server.createStatement()) {
            if (!exists(server, "SELECT FROM pg_catalog.pg_database WHERE datname = ?", database)) {
                statement.execute("CREATE DATABASE " + database + " OWNER " + owner(database)
                        + " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
            }
            statement.execute("REVOKE ALL ON DATABASE " + database + " FROM PUBLIC");
            statement.execute("GRANT CONNECT ON DATABASE " + database + " TO " + agent(database));
        }
    }

    static void settings(Statement statement, String database, String login) throws SQLException {
        for (String setting : AGENT_SETTINGS) {
            statement.execute("ALTER ROLE " + login + " IN DATABASE " + database + " SET " + setting);
        }
    }

    /** Keyed access only, whatever the statistics say: a plan must not change while a volume grows. */
    private static final String[] AGENT_SETTINGS = {
        "synchronous_commit = off",
        "statement_timeout = '20s'",
        "lock_timeout = '10s'",
        "idle_in_transaction_session_timeout = '10s'",
        "jit = off",
        "plan_cache_mode = force_generic_plan",
        "enable_seqscan = off",
    };

    private static void grant(Connection connection, String database) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC");
            statement.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA larder, larder_v1 FROM PUBLIC");
            statement.execute("GRANT USAGE ON SCHEMA larder_v1 TO " + agent(database));
            statement.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA larder_v1 TO " + agent(database));
        }
    }

    private static void insertVolume(Connection connection, VolumeRow volume) throws SQLException {
        try (PreparedStatement row = connection.prepareStatement("""
                        WITH made AS (
                            INSERT INTO larder.volume (id, name, quota_bytes, quota_inodes, trash)
                            VALUES (?, ?, ?, ?, ? * interval '1 millisecond')
                            ON CONFLICT DO NOTHING RETURNING created)
                        INSERT INTO larder.inode (ino, parent, uid, gid, mode, nlink, atime_s, mtime_s, ctime_s, btime_s,
                                                  atime_ns, mtime_ns, ctime_ns, btime_ns)
                        SELECT 1, 1, ?, ?, ?, 2, s, s, s, s, 0, 0, 0, 0
                        FROM made, LATERAL (SELECT floor(extract(epoch FROM created))::bigint AS s) t
                        """)) {
            row.setObject(1, volume.id());
            row.setString(2, volume.name());
            row.setLong(3, volume.quotaBytes());
            row.setLong(4, volume.quotaInodes());
            row.setLong(5, volume.trash().toMillis());
            row.setLong(6, volume.rootUid());
            row.setLong(7, volume.rootGid());
            row.setInt(8, 0x4000 | (volume.rootMode() & 07777));
            row.executeUpdate();
        }
    }

    static boolean exists(Connection connection, String sql, String name) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    static Connection connect(ServerLogin login, String database) throws SQLException {
        return DriverManager.getConnection(login.url(database), properties(login.user(), login.password()));
    }

    static Properties properties(String user, String password) {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("ApplicationName", "larder schema");
        properties.setProperty("connectTimeout", Integer.toString(CONNECT_TIMEOUT_SECONDS));
        return properties;
    }

    private PostgresException failed(String what, SQLException cause) {
        return new PostgresException("cannot " + what + " on " + admin + ": " + cause.getMessage(), cause);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
