package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * As much of an API server as csi-node speaks to: objects by their paths, with resourceVersions, both kinds of patch, lists
 * of two items a page, and watches of CacheWarmups. A test may have it refuse, hang, or forget old versions.
 */
final class FakeApiServer implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final int PAGE = 2;
    private static final Duration WATCH = Duration.ofSeconds(20);

    final List<String> requests = new ArrayList<>();
    /** The bodies of those that write. */
    final List<JsonNode> written = new ArrayList<>();

    final List<String> tokens = new ArrayList<>();

    private final HttpServer server;
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Map<String, ObjectNode> objects = new LinkedHashMap<>();
    private final Deque<Integer> refusals = new ArrayDeque<>();
    private final List<ObjectNode> history = new ArrayList<>();
    private final Path token;
    private long version = 100;
    private long oldestVersion;
    private Runnable beforePatch = () -> {};

    FakeApiServer(Path directory) throws IOException {
        token = Files.writeString(directory.resolve("token"), "first\n");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    ApiClient client() throws IOException {
        return client(new ApiClient.Tries(4, Duration.ofSeconds(20), Duration.ofMillis(1), Duration.ofMillis(20)));
    }

    ApiClient client(ApiClient.Tries tries) throws IOException {
        URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        return new ApiClient(new ApiAccess(uri, token, Path.of("/none")), new SimpleMeterRegistry(), tries);
    }

    void replaceToken(String text) throws IOException {
        Files.writeString(token, text);
    }

    /** Codes that the next requests are answered with, whatever they are; 0 = it never answers. */
    synchronized void refuse(Integer... codes) {
        refusals.addAll(Arrays.asList(codes));
    }

    /** Runs once, between a client's read and its patch. */
    synchronized void beforeNextPatch(Runnable change) {
        beforePatch = change;
    }

    synchronized void put(String path, String json) {
        try {
            store(path, (ObjectNode) JSON.readTree(json), objects.containsKey(path) ? "MODIFIED" : "ADDED");
        } catch (IOException e) {
            throw new IllegalArgumentException(json, e);
        }
    }

    synchronized void delete(String path) {
        ObjectNode gone = objects.remove(path);
        version++;
        history.add(event("DELETED", path, gone));
    }

    /** Null = it is not there. */
    synchronized JsonNode get(String path) {
        ObjectNode found = objects.get(path);
        return found == null ? null : found.deepCopy();
    }

    synchronized List<JsonNode> below(String path) {
        return objects.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(path + "/"))
                .map(entry -> (JsonNode) entry.getValue().deepCopy())
                .toList();
    }

    /** Watches from versions before now are answered with 410. */
    synchronized void forget() {
        oldestVersion = version;
        history.clear();
    }

    synchronized int count(String start) {
        return (int) requests.stream().filter(one -> one.startsWith(start)).count();
    }

    private void store(String path, ObjectNode object, String type) {
        version++;
        ObjectNode metadata = object.withObject("/metadata");
        metadata.put("resourceVersion", Long.toString(version));
        if (!metadata.has("uid")) {
            metadata.put("uid", "uid-" + version);
        }
        objects.put(path, object);
        history.add(event(type, path, object));
    }

    private ObjectNode event(String type, String path, ObjectNode object) {
        ObjectNode event = JSON.createObjectNode();
        event.put("type", type).put("path", path).put("version", version);
        event.set("object", object.deepCopy());
        event.withObject("/object/metadata").put("resourceVersion", Long.toString(version));
        return event;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String method = exchange.getRequestMethod();
            String path = exchange.getRequestURI().getPath();
            String query = exchange.getRequestURI().getQuery();
            byte[] body = exchange.getRequestBody().readAllBytes();
            Integer refusal;
            Runnable before = () -> {};
            synchronized (this) {
                requests.add(method + " " + path + (query == null ? "" : "?" + query));
                tokens.add(exchange.getRequestHeaders().getFirst("Authorization"));
                refusal = refusals.poll();
                if (method.equals("PATCH")) {
                    before = beforePatch;
                    beforePatch = () -> {};
                }
            }
            before.run();
            if (refusal != null && refusal == 0) {
                await(WATCH);
            } else if (refusal != null) {
                answer(exchange, refusal, "{\"kind\":\"Status\",\"message\":\"refused by the test\"}");
            } else if (query != null && query.contains("watch=true")) {
                watch(exchange, query);
            } else {
                answer(exchange, method, path, query, body);
            }
        }
    }

    private void answer(HttpExchange exchange, String method, String path, String query, byte[] body)
            throws IOException {
        int code = 200;
        String text;
        synchronized (this) {
            JsonNode sent = body.length == 0 ? null : JSON.readTree(body);
            if (sent != null) {
                written.add(sent);
            }
            String object = path.endsWith("/status") ? path.substring(0, path.length() - 7) : path;
            if (method.equals("GET") && query != null && query.contains("limit=")) {
                text = list(path, query).toString();
            } else if (method.equals("POST")) {
                String made = path + "/" + sent.at("/metadata/name").asText();
                code = objects.containsKey(made) ? 409 : 201;
                if (code == 201) {
                    store(made, (ObjectNode) sent, "ADDED");
                }
                text = String.valueOf(objects.get(made));
            } else if (!objects.containsKey(object)) {
                code = 404;
                text = "{\"kind\":\"Status\",\"message\":\"" + path + " not found\"}";
            } else if (method.equals("PATCH")) {
                boolean merge =
                        exchange.getRequestHeaders().getFirst("Content-Type").contains("merge");
                ObjectNode next = objects.get(object).deepCopy();
                if (merge) {
                    merge(next, sent);
                } else {
                    code = patched(next, sent) ? 200 : 422;
                }
                if (code == 200) {
                    store(object, next, "MODIFIED");
                }
                text = objects.get(object).toString();
            } else {
                text = objects.get(object).toString();
            }
        }
        answer(exchange, code, text);
    }

    private static void merge(ObjectNode object, JsonNode patch) {
        patch.properties().forEach(field -> {
            if (field.getValue().isNull()) {
                object.remove(field.getKey());
            } else if (field.getValue().isObject()) {
                ObjectNode inner = object.path(field.getKey()).isObject()
                        ? (ObjectNode) object.get(field.getKey())
                        : object.putObject(field.getKey());
                merge(inner, field.getValue());
            } else {
                object.set(field.getKey(), field.getValue());
            }
        });
    }

    /** Operations of JSON patches, as far as csi-node uses them. */
    private static boolean patched(ObjectNode object, JsonNode operations) {
        for (JsonNode operation : operations) {
            String path = operation.path("path").asText();
            JsonNode value = operation.path("value");
            String parent = path.substring(0, path.lastIndexOf('/'));
            String last = path.substring(path.lastIndexOf('/') + 1);
            switch (operation.path("op").asText()) {
                case "test" -> {
                    if (!object.at(path).equals(value)) {
                        return false;
                    }
                }
                case "add" -> {
                    if (last.equals("-")) {
                        ((ArrayNode) object.at(parent)).add(value);
                    } else if (object.at(parent).isMissingNode()) {
                        return false;
                    } else {
                        ((ObjectNode) object.at(parent)).set(last, value);
                    }
                }
                default -> {
                    if (object.at(path).isMissingNode()) {
                        return false;
                    }
                    if (object.at(parent) instanceof ArrayNode array) {
                        array.remove(Integer.parseInt(last));
                    } else {
                        ((ObjectNode) object.at(parent)).remove(last);
                    }
                }
            }
        }
        return true;
    }

    private ObjectNode list(String path, String query) {
        List<JsonNode> all = objects.entrySet().stream()
                .filter(entry -> isListed(path, entry.getKey()))
                .map(entry -> (JsonNode) entry.getValue())
                .toList();
        int from = query.contains("continue=") ? Integer.parseInt(query.replaceAll(".*continue=(\\d+).*", "$1")) : 0;
        ObjectNode page = JSON.createObjectNode();
        ObjectNode metadata = page.putObject("metadata").put("resourceVersion", Long.toString(version));
        ArrayNode items = page.putArray("items");
        all.subList(from, Math.min(all.size(), from + PAGE)).forEach(items::add);
        if (from + PAGE < all.size()) {
            metadata.put("continue", Integer.toString(from + PAGE));
        }
        return page;
    }

    /** A list of all namespaces. */
    private static boolean isListed(String list, String path) {
        int last = list.lastIndexOf('/');
        return path.startsWith(list.substring(0, last + 1)) && path.contains(list.substring(last) + "/");
    }

    private void watch(HttpExchange exchange, String query) throws IOException {
        long seen = Long.parseLong(query.replaceAll(".*resourceVersion=(\\d+).*", "$1"));
        synchronized (this) {
            if (seen < oldestVersion) {
                answer(exchange, 410, "{\"kind\":\"Status\",\"message\":\"too old resource version\"}");
                return;
            }
        }
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        long end = System.nanoTime() + WATCH.toNanos();
        while (System.nanoTime() < end && closing.getCount() > 0) {
            for (ObjectNode event : eventsAfter(seen)) {
                seen = event.path("version").asLong();
                if (event.path("path").asText().contains("/cachewarmups/")) {
                    out.write((event + "\n").getBytes(StandardCharsets.UTF_8));
                }
            }
            synchronized (this) {
                if (seen < oldestVersion) {
                    String gone = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";
                    out.write(gone.getBytes(StandardCharsets.UTF_8));
                    return;
                }
            }
            out.flush();
            await(Duration.ofMillis(10));
        }
    }

    private synchronized List<ObjectNode> eventsAfter(long seen) {
        return history.stream()
                .filter(event -> event.path("version").asLong() > seen)
                .toList();
    }

    private void await(Duration time) throws IOException {
        try {
            closing.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static void answer(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        executor.shutdownNow();
    }
}
