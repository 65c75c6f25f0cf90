package dev.larder.operator;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A MinIO on the loopback address: an S3 server that enforces session policies. Its program is the one that the property
 * or environment variable {@value #PROGRAM} names.
 */
final class MinioServer implements AutoCloseable {
    static final String PROGRAM = "LARDER_MINIO";
    static final String USER = "larder-root";
    static final String PASSWORD = "larder-root-0123456789";
    private static final long START_S = 60;

    private final Process process;
    private final int port;

    /** @param directory of its data; each directory below it is a bucket */
    MinioServer(Path directory) throws IOException, InterruptedException {
        String program = System.getProperty(PROGRAM, System.getenv().getOrDefault(PROGRAM, ""));
        if (program.isEmpty()) {
            throw new IllegalStateException("set " + PROGRAM + " to the program minio");
        }
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        ProcessBuilder builder = new ProcessBuilder(
                        program, "server", directory.toString(), "--address", "127.0.0.1:" + port, "--quiet")
                .redirectErrorStream(true)
                .redirectOutput(Files.createTempFile("minio", ".log").toFile());
        builder.environment().put("MINIO_ROOT_USER", USER);
        builder.environment().put("MINIO_ROOT_PASSWORD", PASSWORD);
        builder.environment().put("MINIO_BROWSER", "off");
        builder.environment().put("MINIO_UPDATE", "off");
        process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        awaitReady();
    }

    String endpoint() {
        return "http://127.0.0.1:" + port;
    }

    private void awaitReady() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_S);
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest ready = HttpRequest.newBuilder(URI.create(endpoint() + "/minio/health/ready"))
                    .build();
            while (true) {
                try {
                    if (http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200) {
                        return;
                    }
                } catch (IOException e) {
                    if (!process.isAlive()) {
                        throw new IllegalStateException("minio ended", e);
                    }
                }
                if (System.nanoTime() - end > 0) {
                    throw new IllegalStateException("minio does not become ready");
                }
                Thread.sleep(100);
            }
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
