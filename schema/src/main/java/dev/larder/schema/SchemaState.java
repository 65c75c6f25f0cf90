package dev.larder.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HexFormat;
import java.util.List;

/** Which schema a database has, against the one that this version brings. */
record SchemaState(int version, String digest) {
    /** The newest versioned file. */
    static final int VERSION = 2;

    /** Every migration, in the order of execution. */
    static final List<String> FILES = List.of(
            "V1__tables.sql",
            "V2__exclusive.sql",
            "R__05_feed.sql",
            "R__10_session.sql",
            "R__15_extents.sql",
            "R__20_names.sql",
            "R__22_rename.sql",
            "R__25_attributes.sql",
            "R__50_content.sql",
            "R__60_locks.sql",
            "R__70_maintenance.sql",
            "R__72_trash.sql",
            "R__73_walks.sql",
            "R__75_check.sql");

    private static final SchemaState NONE = new SchemaState(0, "");
    private static final String UNDEFINED_TABLE = "42P01";
    private static final String UNDEFINED_SCHEMA = "3F000";

    static SchemaState read(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT version, digest FROM larder.schema_state")) {
            return rows.next() ? new SchemaState(rows.getInt(1), rows.getString(2)) : NONE;
        } catch (SQLException e) {
            if (UNDEFINED_TABLE.equals(e.getSQLState()) || UNDEFINED_SCHEMA.equals(e.getSQLState())) {
                return NONE;
            }
            throw e;
        }
    }

    static void record(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                        INSERT INTO larder.schema_state (version, digest) VALUES (?, ?)
                        ON CONFLICT (only_row) DO UPDATE SET version = EXCLUDED.version, digest = EXCLUDED.digest
                        """)) {
            statement.setInt(1, VERSION);
            statement.setString(2, ownDigest());
            statement.executeUpdate();
        }
    }

    boolean isCurrent() {
        return version == VERSION && digest.equals(ownDigest());
    }

    void requireKnown(String database) {
        if (version > VERSION) {
            throw new PostgresException("the schema of " + database + " has version " + version
                    + ", and this program knows versions up to " + VERSION + "; use a newer larder");
        }
    }

    static String ownDigest() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (String file : FILES) {
                sha.update(SchemaMigration.utf8(file));
                try (InputStream in = SchemaState.class.getResourceAsStream(file)) {
                    if (in == null) {
                        throw new IllegalStateException("this build lacks the migration " + file);
                    }
                    sha.update(in.readAllBytes());
                }
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the migrations of this build", e);
        }
    }
}
