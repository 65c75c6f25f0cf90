package dev.larder.agent;

import com.zaxxer.hikari.HikariDataSource;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.metadata.ConnectionBudget;
import dev.larder.volume.metadata.DatabaseSource;
import dev.larder.volume.metadata.MetadataOptions;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.objects.HttpProxy;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.PostgresStore;
import dev.larder.volume.objects.S3Credentials;
import dev.larder.volume.objects.S3Options;
import dev.larder.volume.objects.S3Store;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Properties;
import java.util.UUID;

/** The database and the object store that a {@link MountSpec} names. Secrets are read from their files when asked for. */
final class Stores {
    private static final int OBJECT_CONNECTIONS = 4;
    private static final Duration OBJECT_IDLE = Duration.ofSeconds(10);
    private static final int SOCKET_TIMEOUT_SECONDS = 90;

    private Stores() {}

    /**
     * @param resources shared with other volumes
     * @param continued the session of a dead predecessor, or null
     */
    static MetadataOptions metadata(MountSpec spec, AgentResources resources, UUID continued) {
        MountSpec.Database database = spec.database();
        return MetadataOptions.of(
                        database.jdbcUrl(),
                        database.user(),
                        () -> text(database.passwordFile()),
                        resources.host(),
                        spec.mountPoint() == null
                                ? "administration"
                                : spec.mountPoint().toString())
                .withConnections(resources.connectionsPerVolume())
                .withBudget(resources.connections())
                .withExclusive(spec.exclusive())
                .withDeadline(spec.patience())
                .continuing(continued);
    }

    static ObjectStore objects(MountSpec spec, AgentResources resources) {
        MountSpec.Store store = spec.objectStore();
        try {
            if (store.directory() != null) {
                return DirectoryStore.open(store.directory().path());
            }
            return store.s3() != null ? new S3Store(options(store.s3(), spec.patience())) : postgres(spec, resources);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static S3Options options(MountSpec.S3 s3, Duration patience) {
        S3Options.Builder options =
                S3Options.bucket(s3.bucket()).prefix(s3.prefix()).pathStyle(s3.pathStyle());
        if (s3.endpoint() != null) {
            options.endpoint(URI.create(s3.endpoint()));
        }
        if (s3.region() != null) {
            options.region(s3.region());
        }
        if (s3.storageClass() != null) {
            options.storageClass(s3.storageClass());
        }
        if (s3.credentialsFile() != null) {
            options.credentials(() -> credentials(s3.credentialsFile()));
        }
        if (s3.proxy() != null) {
            options.proxy(HttpProxy.parse(s3.proxy(), s3.noProxy() == null ? "" : String.join(",", s3.noProxy())));
        }
        return options.caBundle(s3.caBundle())
                .checksum(S3Options.Checksum.valueOf(s3.checksum().toUpperCase(Locale.ROOT)))
                .limits(limits(patience))
                .build();
    }

    /** The defaults, or less for who waits less than a minute. */
    private static S3Options.Limits limits(Duration patience) {
        S3Options.Limits most = S3Options.Limits.DEFAULT;
        return new S3Options.Limits(
                most.connect(),
                shorter(most.attempt(), patience.dividedBy(2)),
                shorter(most.call(), patience.multipliedBy(3).dividedBy(2)),
                most.attempts(),
                most.connections());
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static S3Credentials credentials(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the credentials in " + file, e);
        }
        return new S3Credentials(
                properties.getProperty("accessKeyId"),
                properties.getProperty("secretAccessKey"),
                properties.getProperty("sessionToken"));
    }

    private static ObjectStore postgres(MountSpec spec, AgentResources resources) {
        MountSpec.Database database = spec.database();
        ConnectionBudget budget = resources.connections();
        HikariDataSource pool = new DatabaseSource(
                        database.jdbcUrl(),
                        database.user(),
                        () -> text(database.passwordFile()),
                        "larder-objects",
                        SOCKET_TIMEOUT_SECONDS,
                        budget)
                .pool("larder-objects", Math.min(OBJECT_CONNECTIONS, resources.connectionsPerVolume()), OBJECT_IDLE);
        ConnectionBudget.Pool giving = () -> pool.getHikariPoolMXBean().softEvictConnections();
        budget.enlist(giving);
        return new OwningStore(new PostgresStore(pool, database.jdbcUrl(), ""), () -> {
            budget.withdraw(giving);
            pool.close();
        });
    }

    private static String text(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the password in " + file, e);
        }
    }

    /** Of a machine that nobody has named. */
    static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
