package dev.larder.cli;

import dev.larder.crds.Manifest;
import dev.larder.crds.MetadataStore;
import dev.larder.crds.PostgresUrl;
import dev.larder.crds.SecretReader;
import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.PostgresException;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeDatabase;
import dev.larder.schema.VolumeRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The PostgreSQL server that a manifest names: the embedded one, started when it is not running, or another. */
final class MetadataServer {
    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofMinutes(1);
    private static final String AT = "PostgreSQL at ";

    private final Path embedded;
    private final PostgresUrl url;
    private final Map<String, String> secret;
    /** A parameter of JDBC alone, or "". */
    private final String keyAlgorithm;

    private MetadataServer(Path embedded, PostgresUrl url, Map<String, String> secret, String keyAlgorithm) {
        this.embedded = embedded;
        this.url = url;
        this.secret = secret;
        this.keyAlgorithm = keyAlgorithm;
    }

    static MetadataServer of(Manifest manifest, StateDirectory state) {
        MetadataStore.Spec spec = manifest.metadataStore().spec();
        if (spec.embedded() != null) {
            Path directory = spec.embedded().directory();
            return new MetadataServer(directory == null ? state.postgres() : directory, null, null, "");
        }
        try {
            Map<String, String> secret = SecretReader.resolve(
                    spec.postgres().secret(), manifest.secrets(), SecretReader.DATABASE_KEYS, Set.of());
            PostgresUrl url = PostgresUrl.parse(spec.postgres().url());
            return new MetadataServer(null, url, secret, TlsFiles.require(url.parameters()));
        } catch (IOException e) {
            throw CommandFailure.failed(
                    "metadata store " + manifest.metadataStore().metadata().name(), e, null);
        }
    }

    /** The directory of an embedded server, or null. */
    Path embedded() {
        return embedded;
    }

    /** For people, and to notice another server: {@link #isDescribedBy}. */
    String describe() {
        return embedded != null ? "embedded PostgreSQL in " + embedded : AT + String.join(",", servers());
    }

    /** It was described so, perhaps before a standby was added or taken away: one server is still the same. */
    boolean isDescribedBy(String description) {
        return description.equals(describe())
                || embedded == null
                        && description.startsWith(AT)
                        && List.of(description.substring(AT.length()).split(",")).stream()
                                .anyMatch(servers()::contains);
    }

    private List<String> servers() {
        return url.servers().stream().map(PostgresUrl.Server::toString).toList();
    }

    /**
     * The identity of a new volume, which is also the prefix of its objects. On a server that other machines reach it
     * follows from the server's identity and the name, so that each of them finds the same volume, and volumes of one name
     * on two servers never share a prefix.
     */
    UUID newVolumeId(String name) {
        return embedded != null
                ? UUID.randomUUID()
                : UUID.nameUUIDFromBytes(
                        ("larder.dev/volume/" + serverIdentity() + "/" + name).getBytes(StandardCharsets.UTF_8));
    }

    /** The number that PostgreSQL gave its data when they were made; standbys have the same. */
    private String serverIdentity() {
        ServerLogin login = login();
        return explained(() -> {
            try (Connection connection = connect(login, "postgres");
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT system_identifier FROM pg_control_system()")) {
                row.next();
                return row.getString(1);
            } catch (SQLException e) {
                throw new PostgresException("cannot ask " + login + " for its identity: " + e.getMessage(), e);
            }
        });
    }

    private static Connection connect(ServerLogin login, String database) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", login.user());
        properties.setProperty("password", login.password());
        properties.setProperty("connectTimeout", "10");
        return DriverManager.getConnection(login.url(database), properties);
    }

    private static String join(String... parameters) {
        return Stream.of(parameters).filter(some -> !some.isEmpty()).collect(Collectors.joining("&"));
    }

    /** In libpq's words. */
    private String psql() {
        String parameters = join(url.tls(), url.primary() ? "target_session_attrs=read-write" : "");
        return "psql 'postgresql://" + secret.get("username") + "@" + String.join(",", servers()) + "/postgres"
                + (parameters.isEmpty() ? "" : "?" + parameters) + "'";
    }

    boolean isRunning() {
        return embedded == null || new EmbeddedPostgres(embedded).isRunning();
    }

    ServerLogin login() {
        if (embedded == null) {
            String parameters = join(url.jdbcParameters(), keyAlgorithm);
            return new ServerLogin(servers(), secret.get("username"), secret.get("password"), parameters);
        }
        try {
            return new EmbeddedPostgres(embedded).ensureRunning(START);
        } catch (PostgresException | UncheckedIOException e) {
            throw CommandFailure.failed("embedded PostgreSQL", e, "the log in " + embedded.resolve("log"));
        }
    }

    static void stop(Path directory) {
        try {
            new EmbeddedPostgres(directory).stop(STOP);
        } catch (PostgresException | UncheckedIOException e) {
            throw CommandFailure.failed("embedded PostgreSQL", e, "the log in " + directory.resolve("log"));
        }
    }

    /**
     * Makes the volume's database and roles.
     *
     * @param machine whose login it is: another machine's, or state directory's, keeps its password
     */
    VolumeDatabase create(ServerLogin login, VolumeRow volume, String machine) {
        return explained(() -> new SchemaMigration(login).provision(volume, machine));
    }

    /** Brings an existing database to this version's schema and to the manifest's limits. */
    void update(ServerLogin login, VolumeRow volume) {
        explained(() -> {
            SchemaMigration schema = new SchemaMigration(login);
            schema.migrate(volume.id());
            schema.limit(volume);
            return null;
        });
    }

    /** The tables of a volume whose bytes are in its own database. */
    static void installObjects(ServerLogin login, VolumeRecord record) {
        new SchemaMigration(login).installObjects(record.id());
    }

    private <T> T explained(java.util.function.Supplier<T> step) {
        try {
            return step.get();
        } catch (PostgresException e) {
            String hint = embedded != null ? "the log in " + embedded.resolve("log") : psql();
            throw CommandFailure.failed("metadata store", e, hint);
        }
    }

    /** The embedded server that a volume's record names, or null. */
    static Path embeddedOf(VolumeRecord record) {
        String start = "embedded PostgreSQL in ";
        Path directory =
                record.server().startsWith(start) ? Path.of(record.server().substring(start.length())) : null;
        return directory != null && Files.isDirectory(directory) ? directory : null;
    }
}
