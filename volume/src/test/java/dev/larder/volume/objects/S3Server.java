package dev.larder.volume.objects;

import java.net.URI;
import java.nio.file.Path;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;

/** A real S3 server on a free port of the loopback address, in memory, which checks signatures. */
final class S3Server implements AutoCloseable {
    static final S3Credentials RIGHT = new S3Credentials("larder-access", "larder-secret-0123456789", null);

    private final TransientNio2BlobStore objects = new TransientNio2BlobStore();
    private final S3Proxy server;

    /** Over plain HTTP. */
    S3Server() throws Exception {
        this(S3Proxy.builder().endpoint(URI.create("http://127.0.0.1:0")));
    }

    /** Over HTTPS. @param keyStore PKCS #12 with the server's key and certificate */
    S3Server(Path keyStore, String password) throws Exception {
        this(S3Proxy.builder()
                .secureEndpoint(URI.create("https://127.0.0.1:0"))
                .keyStore(keyStore.toString(), password));
    }

    private S3Server(S3Proxy.Builder where) throws Exception {
        server = where.blobStore(objects)
                .awsAuthentication(AuthenticationType.AWS_V4, RIGHT.accessKey(), RIGHT.secretKey())
                .build();
        server.start();
    }

    URI endpoint() {
        return server.getSecurePort() > 0
                ? URI.create("https://127.0.0.1:" + server.getSecurePort())
                : URI.create("http://127.0.0.1:" + server.getPort());
    }

    void createBucket(String name) {
        objects.createContainer(name);
    }

    S3Options.Builder options(String bucket) {
        return S3Options.bucket(bucket).endpoint(endpoint()).pathStyle(true).credentials(() -> RIGHT);
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception failure) {
            throw new AssertionError("the S3 server does not stop", failure);
        } finally {
            objects.close();
        }
    }
}
