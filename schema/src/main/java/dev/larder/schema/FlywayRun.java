package dev.larder.schema;

import java.util.stream.Collectors;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.exception.FlywayValidateException;

/** The one class that loads Flyway. */
final class FlywayRun {
    private FlywayRun() {}

    static void migrate(ServerLogin admin, String database, String owner) {
        try {
            Flyway.configure(FlywayRun.class.getClassLoader())
                    .dataSource(admin.url(database), admin.user(), admin.password())
                    .initSql("SET ROLE " + owner)
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
}
