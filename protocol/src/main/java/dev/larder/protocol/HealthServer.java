package dev.larder.protocol;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/** What a process says of itself to kubelet and Prometheus: {@code /healthz}, {@code /readyz} and {@code /metrics}. */
public final class HealthServer implements AutoCloseable {
    private static final int BACKLOG = 16;

    private final HttpServer server;
    private final ExecutorService executor;

    private HealthServer(HttpServer server, ExecutorService executor) {
        this.server = server;
        this.executor = executor;
    }

    /**
     * @param port 0 = a free one
     * @param health what is wrong with this process so that only a restart helps, or null
     * @param readiness why it cannot do its work now, or null
     * @param metrics in Prometheus' text format
     */
    public static HealthServer start(
            int port, Supplier<String> health, Supplier<String> readiness, Supplier<String> metrics)
            throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(port), BACKLOG);
        ExecutorService executor = Executors.newFixedThreadPool(2, work -> {
            Thread thread = new Thread(work, "health");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(executor);
        server.createContext("/healthz", exchange -> check(exchange, health));
        server.createContext("/readyz", exchange -> check(exchange, readiness));
        server.createContext("/metrics", exchange -> send(exchange, 200, metrics.get()));
        server.start();
        return new HealthServer(server, executor);
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private static void check(HttpExchange exchange, Supplier<String> problem) throws IOException {
        String text = problem.get();
        send(exchange, text == null ? 200 : 503, (text == null ? "ok" : text) + "\n");
    }

    private static void send(HttpExchange exchange, int code, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        try (exchange) {
            exchange.sendResponseHeaders(code, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
