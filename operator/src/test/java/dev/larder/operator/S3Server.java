package dev.larder.operator;

import java.net.URI;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;

/** A real S3 server on a free port of the loopback address, in memory, which checks signatures. */
final class S3Server implements AutoCloseable {
    static final String ACCESS_KEY = "larder-access";
    static final String SECRET_KEY = "larder-secret-0123456789";

    private final TransientNio2BlobStore objects = new TransientNio2BlobStore();
    private final S3Proxy server;

    S3Server() throws Exception {
        server = S3Proxy.builder()
                .endpoint(URI.create("http://127.0.0.1:0"))
                .blobStore(objects)
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
                .build();
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getPort();
    }

    void createBucket(String name) {
        objects.createContainer(name);
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
