package dev.larder.schema;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The two logins of a volume in a cluster. Both inherit the volume's role, and one of them is in use: a new password
 * goes to the other one, and the old one is disabled when every node has the new. Every step may be repeated.
 */
public final class VolumeLogins {
    /** Digits and letters: nothing to quote. */
    private static final Pattern PASSWORD = Pattern.compile("[0-9A-Za-z]{16,128}");

    private static final String WRONG_PASSWORD = "28P01";
    private static final String NO_LOGIN = "28000";

    private final ServerLogin admin;

    /** @param admin a login that may create roles */
    public VolumeLogins(ServerLogin admin) {
        this.admin = admin;
    }

    /** Which of the two. */
    public enum Side {
        A,
        B;

        public Side other() {
            return this == A ? B : A;
        }
    }

    /** Within the 63 bytes of a PostgreSQL name. */
    public static String name(UUID volume, Side side) {
        return SchemaMigration.databaseName(volume) + "_" + side.name().toLowerCase(Locale.ROOT);
    }

    /** Makes the login if it is missing, and gives it this password; open connections stay. */
    public void enable(UUID volume, Side side, String password) {
        if (!PASSWORD.matcher(password).matches()) {
            throw new IllegalArgumentException("a password of a volume's login has 16 to 128 digits and letters");
        }
        String login = name(volume, side);
        String database = SchemaMigration.databaseName(volume);
        try (Connection server = SchemaMigration.connect(admin, "postgres");
                Statement statement = server.createStatement()) {
            SchemaMigration.createRole(server, login, "LOGIN");
            statement.execute("GRANT " + database + " TO " + login);
            SchemaMigration.settings(statement, database, login);
            // The server keeps a SCRAM verifier only.
            statement.execute("SET password_encryption = 'scram-sha-256'");
            statement.execute("ALTER ROLE " + login + " LOGIN PASSWORD '" + password + "'");
        } catch (SQLException e) {
            throw failed("enable " + login, e);
        }
    }

    /** Nobody can connect with it any more, and who is connected is thrown out. A missing one is disabled already. */
    public void disable(UUID volume, Side side) {
        String login = name(volume, side);
        try (Connection server = SchemaMigration.connect(admin, "postgres")) {
            if (!SchemaMigration.exists(server, "SELECT FROM pg_catalog.pg_roles WHERE rolname = ?", login)) {
                return;
            }
            try (Statement statement = server.createStatement()) {
                statement.execute("ALTER ROLE " + login + " NOLOGIN");
            }
            try (PreparedStatement end = server.prepareStatement(
                    "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = ?")) {
                end.setString(1, login);
                end.execute();
            }
        } catch (SQLException e) {
            throw failed("disable " + login, e);
        }
    }

    /** Those that can connect. */
    public Set<Side> enabled(UUID volume) {
        Set<Side> sides = EnumSet.noneOf(Side.class);
        try (Connection server = SchemaMigration.connect(admin, "postgres")) {
            for (Side side : Side.values()) {
                if (SchemaMigration.exists(
                        server,
                        "SELECT FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolname = ?",
                        name(volume, side))) {
                    sides.add(side);
                }
            }
            return sides;
        } catch (SQLException e) {
            throw failed("look for the logins of volume " + volume, e);
        }
    }

    /** Whether the volume's database takes this password. */
    public boolean works(UUID volume, Side side, String password) {
        String login = name(volume, side);
        Properties properties = SchemaMigration.properties(login, password);
        try (Connection connection =
                DriverManager.getConnection(admin.url(SchemaMigration.databaseName(volume)), properties)) {
            return connection.isValid(10);
        } catch (SQLException e) {
            if (WRONG_PASSWORD.equals(e.getSQLState()) || NO_LOGIN.equals(e.getSQLState())) {
                return false;
            }
            throw failed("connect as " + login, e);
        }
    }

    private PostgresException failed(String what, SQLException cause) {
        return new PostgresException("cannot " + what + " on " + admin + ": " + cause.getMessage(), cause);
    }
}
