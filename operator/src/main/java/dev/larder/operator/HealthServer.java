package dev.larder.operator;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;

/** /healthz, /readyz and /metrics over HTTP, for kubelet and Prometheus. */
final class HealthServer implements AutoCloseable {
    private static final int BACKLOG = 16;
    private static final int THREADS = 2;

    private final HttpServer server;
    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);

    /**
     * @param port 0 = any
     * @param healthy false = start me again
     * @param ready whether it works, or stands by
     */
    HealthServer(int port, BooleanSupplier healthy, BooleanSupplier ready, PrometheusMeterRegistry metrics)
            throws IOException {
        server = HttpServer.create(new InetSocketAddress(port), BACKLOG);
        server.createContext("/healthz", exchange -> state(exchange, healthy.getAsBoolean()));
        server.createContext("/readyz", exchange -> state(exchange, ready.getAsBoolean()));
        server.createContext("/metrics", exchange -> answer(exchange, 200, metrics.scrape()));
        server.setExecutor(executor);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private static void state(HttpExchange exchange, boolean good) throws IOException {
        answer(exchange, good ? 200 : 503, good ? "ok\n" : "not ready\n");
    }

    private static void answer(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
            exchange.sendResponseHeaders(code, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
