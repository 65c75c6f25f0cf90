package dev.larder.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Collectors;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.postgresql.ds.PGSimpleDataSource;

/** The one class that loads Flyway. */
final class FlywayRun {
    private FlywayRun() {}

    static void migrate(ServerLogin admin, String database, String owner) {
        try {
            Flyway.configure(FlywayRun.class.getClassLoader())
                    .dataSource(new OwnerDataSource(admin, database, owner))
                    .locations("classpath:dev/larder/schema")
                    .failOnMissingLocations(true)
                    .schemas("larder_flyway")
                    .defaultSchema("larder_flyway")
                    .placeholderReplacement(false)
                    .load()
                    .migrate();
        } catch (FlywayValidateException e) {
            throw new PostgresException(
                    "the schema of " + database + " on " + admin + " was made by another build of larder: "
                            + oneLine(e.getMessage()) + "; use the build that made it",
                    e);
        } catch (FlywayException e) {
            throw new PostgresException(
                    "cannot migrate " + database + " on " + admin + ": " + oneLine(e.getMessage()), e);
        }
    }

    /** Flyway's messages have several lines, the last of which name commands of its own that nobody has here. */
    private static String oneLine(String message) {
        return String.valueOf(message)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty()
                        && !line.startsWith("Either revert")
                        && !line.startsWith("Need more flexibility"))
                .collect(Collectors.joining(" "));
    }

    /** Each connection acts as the owner: Flyway opens several, and its afterConnect callback reaches only one of them. */
    private static final class OwnerDataSource extends PGSimpleDataSource {
        private static final long serialVersionUID = 1L;

        private final String owner;

        OwnerDataSource(ServerLogin admin, String database, String owner) {
            this.owner = owner;
            setUrl(admin.url(database));
            setUser(admin.user());
            setPassword(admin.password());
            setApplicationName("larder schema");
        }

        @Override
        public Connection getConnection() throws SQLException {
            return asOwner(super.getConnection());
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            return asOwner(super.getConnection(user, password));
        }

        private Connection asOwner(Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET ROLE " + owner);
                return connection;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        }
    }
}
