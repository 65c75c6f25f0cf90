package dev.larder.schema;

import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

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
        } catch (FlywayException e) {
            throw new PostgresException("cannot migrate " + database + " on " + admin + ": " + e.getMessage(), e);
        }
    }
}
