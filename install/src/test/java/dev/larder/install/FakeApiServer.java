package dev.larder.install;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** As much of an API server as the hooks ask: objects by path, pages of a list, refusals, times without an answer. */
final class FakeApiServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Objects by path; a list is an array. */
    final Map<String, JsonNode> objects = new ConcurrentHashMap<>();
    /** METHOD path, in order. */
    final List<String> requests = new CopyOnWriteArrayList<>();
    /** So many of the next requests get the status 503. */
    final AtomicInteger unavailable = new AtomicInteger();

    private final HttpServer server;

    FakeApiServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    ApiServer client() {
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        return new ApiServer(base, "the-token", HttpClient.newHttpClient(), Duration.ofSeconds(30));
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text.replace('\'', '"'));
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String path = exchange.getRequestURI().getPath();
            requests.add(exchange.getRequestMethod() + " " + path);
            if (!"Bearer the-token".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                reply(exchange, 401, json("{'message':'no token'}"));
            } else if (unavailable.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                reply(exchange, 503, json("{'message':'starting'}"));
            } else {
                serve(exchange, path, body);
            }
        }
    }

    private void serve(HttpExchange exchange, String path, String body) throws IOException {
        JsonNode known = objects.get(path);
        switch (exchange.getRequestMethod()) {
            case "GET" -> {
                if (known == null) {
                    reply(exchange, 404, json("{'message':'not found'}"));
                } else {
                    reply(exchange, 200, known.isArray() ? page(exchange, known) : known);
                }
            }
            case "POST" -> {
                JsonNode object = JSON.readTree(body);
                String own = path + "/" + object.path("metadata").path("name").asText();
                boolean fresh = objects.putIfAbsent(own, object) == null;
                reply(exchange, fresh ? 201 : 409, fresh ? object : json("{'message':'already exists'}"));
            }
            default -> {
                boolean applied = Objects.equals(
                        exchange.getRequestHeaders().getFirst("Content-Type"), "application/apply-patch+yaml");
                ObjectNode object = JSON.createObjectNode().put("applied", body);
                object.set("status", json("{'conditions':[{'type':'Established','status':'True'}]}"));
                objects.put(path, object);
                reply(exchange, applied ? 200 : 415, object);
            }
        }
    }

    /** Pages of one item. */
    private static JsonNode page(HttpExchange exchange, JsonNode items) {
        String query = exchange.getRequestURI().getQuery();
        int from = Arrays.stream(query.split("&", -1))
                .filter(part -> part.startsWith("continue="))
                .map(part -> Integer.parseInt(part.substring("continue=".length())))
                .findFirst()
                .orElse(0);
        ObjectNode list = JSON.createObjectNode();
        List<JsonNode> all = new ArrayList<>();
        items.forEach(all::add);
        all.stream().skip(from).limit(1).forEach(list.putArray("items")::add);
        list.putObject("metadata").put("continue", from + 1 < all.size() ? Integer.toString(from + 1) : "");
        return list;
    }

    private static void reply(HttpExchange exchange, int status, JsonNode body) throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(body);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
