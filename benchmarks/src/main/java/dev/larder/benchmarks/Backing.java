package dev.larder.benchmarks;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ServerLogin;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/** The servers behind the measured volume, all on loopback, and the manifest that names them. */
final class Backing implements AutoCloseable {
    private static final Duration START = Duration.ofMinutes(2);
    private static final String ACCESS_KEY = "benchmark";
    private static final String SECRET_KEY = "benchmark-0123456789";
    private static final String BUCKET = "larder";
    private static final String EMBEDDED = """
            apiVersion: larder.dev/v1alpha1
            kind: MetadataStore
            metadata:
              name: metadata
            spec:
              embedded: {}
            """;

    private final Path home;
    private final Path manifest;
    private final Path database;
    private final Deque<AutoCloseable> servers = new ArrayDeque<>();

    /** @param oneWay of messages between agent and database; zero = none is added and the volume's own server is used */
    private Backing(Path home, boolean s3, Duration oneWay) throws IOException {
        this.home = home;
        database = home.resolve(oneWay.isZero() ? "state/postgres" : "server");
        StringBuilder yaml = new StringBuilder("""
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: benchmark
                spec:
                  objectStore: objects
                  metadataStore: metadata
                ---
                """);
        yaml.append(s3 ? bucket() : directory()).append("---\n");
        yaml.append(oneWay.isZero() ? EMBEDDED : delayedServer(oneWay));
        manifest = secret("benchmark.yaml", yaml.toString());
    }

    static Backing of(Path home, boolean s3, Duration oneWay) throws IOException {
        return new Backing(home, s3, oneWay);
    }

    private String directory() throws IOException {
        return """
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata:
                  name: objects
                spec:
                  directory:
                    path: %s
                    shared: true
                """.formatted(Files.createDirectory(home.resolve("objects")));
    }

    Path manifest() {
        return manifest;
    }

    /** Of the PostgreSQL server. */
    Path database() {
        return database;
    }

    private String bucket() throws IOException {
        Path directory = home.resolve("s3");
        Files.createDirectories(directory.resolve(BUCKET));
        FilesystemNio2BlobStore objects = new FilesystemNio2BlobStore(directory.toString());
        servers.push(objects);
        S3Proxy server = S3Proxy.builder()
                .blobStore(objects)
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
                .build();
        try {
            server.start();
        } catch (Exception e) {
            throw new IOException("the S3 server does not start", e);
        }
        servers.push(server::stop);
        secret("s3.secret", "accessKeyId=" + ACCESS_KEY + "\nsecretAccessKey=" + SECRET_KEY + "\n");
        return """
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata:
                  name: objects
                spec:
                  s3:
                    endpoint: http://127.0.0.1:%d
                    bucket: %s
                    credentials:
                      secretFile: s3.secret
                """.formatted(server.getPort(), BUCKET);
    }

    private String delayedServer(Duration oneWay) throws IOException {
        EmbeddedPostgres server = new EmbeddedPostgres(database);
        ServerLogin login = server.ensureRunning(START);
        servers.push(() -> server.stop(START));
        DelayingProxy proxy = new DelayingProxy(login.port(), oneWay);
        servers.push(proxy);
        return """
                apiVersion: larder.dev/v1alpha1
                kind: MetadataStore
                metadata:
                  name: metadata
                spec:
                  postgres:
                    url: postgresql://127.0.0.1:%d
                    secretRef:
                      name: server-admin
                ---
                apiVersion: v1
                kind: Secret
                metadata:
                  name: server-admin
                stringData:
                  username: %s
                  password: %s
                """.formatted(proxy.port(), login.user(), login.password());
    }

    private Path secret(String name, String text) throws IOException {
        Path file = Files.createFile(
                home.resolve(name), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, text);
    }

    @Override
    public void close() throws IOException {
        while (!servers.isEmpty()) {
            try {
                servers.pop().close();
            } catch (Exception e) {
                throw new IOException("a server of the benchmark does not stop", e);
            }
        }
    }
}
