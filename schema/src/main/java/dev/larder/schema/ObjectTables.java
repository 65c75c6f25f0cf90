package dev.larder.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** The tables of a volume whose bytes are in its own database; the store {@code postgres} reads and writes them. */
public final class ObjectTables {
    private static final List<String> TABLES = List.of(
            "CREATE SCHEMA IF NOT EXISTS larder_objects",
            """
            CREATE TABLE IF NOT EXISTS larder_objects.object (
                key      text COLLATE "C" PRIMARY KEY,
                size     bigint NOT NULL,
                modified timestamptz NOT NULL DEFAULT clock_timestamp()
            )""",
            """
            CREATE TABLE IF NOT EXISTS larder_objects.chunk (
                key  text COLLATE "C" NOT NULL,
                no   bigint NOT NULL,
                data bytea NOT NULL,
                PRIMARY KEY (key, no)
            )""",
            // Neither compressed nor kept in the row: substring then reads only the pages it needs.
            "ALTER TABLE larder_objects.chunk ALTER COLUMN data SET STORAGE EXTERNAL");

    private ObjectTables() {}

    /** Creates the tables, as their owner; harmless when they exist. */
    public static void install(Connection owner) throws SQLException {
        try (Statement statement = owner.createStatement()) {
            for (String table : TABLES) {
                statement.execute(table);
            }
        }
    }

    /** Lets a role read and write the tables, no more. */
    public static void grant(Connection owner, String role) throws SQLException {
        try (Statement statement = owner.createStatement()) {
            String quoted = statement.enquoteIdentifier(role, true);
            statement.execute("GRANT USAGE ON SCHEMA larder_objects TO " + quoted);
            statement.execute(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON larder_objects.object, larder_objects.chunk TO " + quoted);
        }
    }
}
