package dev.larder.e2e;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/** A real S3 server on the loopback address that checks signatures and keeps a bucket as a directory. */
final class S3Server implements AutoCloseable {
    static final String ACCESS_KEY = "larder-access";
    static final String SECRET_KEY = "larder-secret-0123456789";
    static final String BUCKET = "larder";

    private final Path directory;
    private final FilesystemNio2BlobStore objects;
    private final S3Proxy server;

    /** @param port 0 = any that is free */
    S3Server(Path directory, int port) throws Exception {
        this.directory = directory;
        Files.createDirectories(directory.resolve(BUCKET));
        objects = new FilesystemNio2BlobStore(directory.toString());
        server = S3Proxy.builder()
                .blobStore(objects)
                .endpoint(URI.create("http://127.0.0.1:" + port))
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
                .build();
        server.start();
    }

    int port() {
        return server.getPort();
    }

    /** The objects' files. */
    List<Path> objects() throws IOException {
        try (var files = Files.walk(directory.resolve(BUCKET))) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** A manifest of a volume in the bucket, and its secret beside it. */
    static Path manifest(Larder larder, String volume, int port) throws IOException {
        secret(larder, SECRET_KEY);
        return larder.manifest(volume, yaml(volume, port, BUCKET));
    }

    static void secret(Larder larder, String key) throws IOException {
        Path file = larder.home().resolve("s3.secret");
        Files.writeString(file, "accessKeyId=" + ACCESS_KEY + "\nsecretAccessKey=" + key + "\n");
        Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
    }

    static String yaml(String volume, int port, String bucket) {
        return """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: %s
                spec:
                  objectStore: bucket
                ---
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata:
                  name: bucket
                spec:
                  s3:
                    endpoint: http://127.0.0.1:%d
                    bucket: %s
                    prefix: volumes/
                    credentials:
                      secretFile: s3.secret
                """.formatted(volume, port, bucket);
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new AssertionError("the S3 server does not stop", e);
        } finally {
            objects.close();
        }
    }

    /** As a process of its own, which can be killed: directory, port. */
    public static void main(String[] arguments) throws Exception {
        try (S3Server server = new S3Server(Path.of(arguments[0]), Integer.parseInt(arguments[1]))) {
            System.out.println("port " + server.port());
            new CountDownLatch(1).await();
        }
    }
}
