package dev.larder.volume.testing;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeDatabase;
import dev.larder.schema.VolumeRow;
import dev.larder.volume.metadata.MetadataOptions;
import dev.larder.volume.metadata.PostgresMetadata;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.UUID;
import java.util.stream.Stream;

/** A fresh volume's database on the one server that all test classes of a JVM share; it stops with the JVM. */
public final class TestDatabase implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    private final UUID volume = UUID.randomUUID();
    private final SchemaMigration schema;
    private final VolumeDatabase database;

    private TestDatabase(Duration trash) {
        this.schema = new SchemaMigration(Server.login());
        this.database = schema.provision(new VolumeRow(volume, "test", 1 << 30, 1_000_000, trash, 0, 0, 0755), "a");
    }

    public static TestDatabase create() {
        return new TestDatabase(Duration.ofDays(1));
    }

    public static TestDatabase withoutTrash() {
        return new TestDatabase(Duration.ZERO);
    }

    public UUID volume() {
        return volume;
    }

    public VolumeDatabase database() {
        return database;
    }

    public MetadataOptions options() {
        return MetadataOptions.of(database.url(), database.user(), database::password, "test-host", "/mnt/test");
    }

    public PostgresMetadata open() {
        return PostgresMetadata.open(options());
    }

    /** One value as the superuser sees it, as text; null for none. */
    public String ask(String sql) {
        try (Connection connection = superuser();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : null;
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    public void execute(String sql) {
        try (Connection connection = superuser();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    public Connection superuser() throws SQLException {
        ServerLogin login = Server.login();
        return DriverManager.getConnection(database.url(), login.user(), login.password());
    }

    /** Kills the server as a loss of power would, and starts it again. */
    public void crashServer() {
        Server.POSTGRES.crash();
        Server.POSTGRES.ensureRunning(DEADLINE);
    }

    /** Kills the server as a loss of power would; until {@link #startServer}. */
    public void killServer() {
        Server.POSTGRES.crash();
    }

    public void startServer() {
        Server.POSTGRES.ensureRunning(DEADLINE);
    }

    @Override
    public void close() {
        schema.drop(volume);
    }

    /** Started by the first test that needs it. */
    private static final class Server {
        static final Path DIRECTORY;
        static final EmbeddedPostgres POSTGRES;
        static final ServerLogin LOGIN;

        static {
            try {
                DIRECTORY = Files.createTempDirectory("larder-test-postgres");
                Files.setPosixFilePermissions(DIRECTORY, PosixFilePermissions.fromString("rwxr-xr-x"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            POSTGRES = new EmbeddedPostgres(DIRECTORY.resolve("postgres"));
            Runtime.getRuntime().addShutdownHook(new Thread(Server::remove, "stop-test-postgres"));
            LOGIN = POSTGRES.ensureRunning(DEADLINE);
        }

        static ServerLogin login() {
            return LOGIN;
        }

        private static void remove() {
            POSTGRES.crash();
            try (Stream<Path> tree = Files.walk(DIRECTORY)) {
                for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
                    Files.deleteIfExists(path);
                }
            } catch (IOException e) {
                System.err.println("the test server's directory stays: " + e);
            }
        }
    }
}
