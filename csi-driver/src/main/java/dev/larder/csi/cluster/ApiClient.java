package dev.larder.csi.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * A thin client of the API server: JSON in and out, a deadline for each request, and a few more tries for those that may
 * succeed in a moment. Every request that this module makes may arrive twice: creations name their object. Any thread may
 * call; an interrupt ends a call.
 */
public final class ApiClient implements AutoCloseable {
    /** Of one answer: a page of a list, at most. */
    private static final long MAX_ANSWER_BYTES = 8L << 20;

    private static final int MAX_ERROR_CHARACTERS = 500;
    private static final int MAX_TOKEN_BYTES = 64 << 10;

    /** After the server was to end a watch. */
    private static final Duration WATCH_OVERDUE = Duration.ofSeconds(15);

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a patch is. */
    enum Patch {
        /** RFC 7386. */
        MERGE("application/merge-patch+json"),
        /** RFC 6902. */
        JSON("application/json-patch+json");

        private final String type;

        Patch(String type) {
            this.type = type;
        }
    }

    /**
     * How often and how long a request is tried.
     *
     * @param attempts at most
     * @param timeout of one
     * @param pause before the second; it doubles with each
     * @param longestPause what the pause grows to, and the most that the server's Retry-After may ask for
     */
    record Tries(int attempts, Duration timeout, Duration pause, Duration longestPause) {
        static final Tries DEFAULT =
                new Tries(4, Duration.ofSeconds(10), Duration.ofMillis(500), Duration.ofSeconds(5));

        /** For what is soon sent anew anyway. */
        Tries once() {
            return new Tries(1, timeout, pause, longestPause);
        }
    }

    private final ApiAccess access;
    private final Tries tries;
    private final HttpClient http;
    private final MeterRegistry meters;

    /** @throws IOException when the file of the CA cannot be used */
    public ApiClient(ApiAccess access, MeterRegistry meters) throws IOException {
        this(access, meters, Tries.DEFAULT);
    }

    ApiClient(ApiAccess access, MeterRegistry meters, Tries tries) throws IOException {
        this.access = access;
        this.meters = meters;
        this.tries = tries;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(tries.timeout())
                .followRedirects(HttpClient.Redirect.NEVER);
        if ("https".equals(access.server().getScheme())) {
            builder.sslContext(Trust.only(access.caFile()));
        }
        this.http = builder.build();
    }

    static ObjectMapper json() {
        return JSON;
    }

    JsonNode get(String path) throws ApiException, InterruptedException {
        return send("GET", path, null, BodyPublishers.noBody(), tries);
    }

    /** @throws ApiException 409 when the object is there */
    JsonNode create(String path, JsonNode object) throws ApiException, InterruptedException {
        return send("POST", path, "application/json", body(object), tries);
    }

    /** @return the object as it is then */
    JsonNode patch(String path, Patch kind, JsonNode patch) throws ApiException, InterruptedException {
        return send("PATCH", path, kind.type, body(patch), tries);
    }

    /** As patch, but tried only once. */
    JsonNode patchOnce(String path, Patch kind, JsonNode patch) throws ApiException, InterruptedException {
        return send("PATCH", path, kind.type, body(patch), tries.once());
    }

    private static BodyPublisher body(JsonNode value) {
        return BodyPublishers.ofString(value.toString());
    }

    private JsonNode send(String method, String path, String type, BodyPublisher body, Tries allowed)
            throws ApiException, InterruptedException {
        Duration pause = allowed.pause();
        for (int attempt = 1; ; attempt++) {
            long retryAfter = 0;
            try {
                HttpRequest request = request(path)
                        .timeout(allowed.timeout())
                        .headers("Content-Type", type == null ? "application/json" : type)
                        .method(method, body)
                        .build();
                HttpResponse<byte[]> response = await(
                        request,
                        BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_ANSWER_BYTES),
                        allowed.timeout());
                if (response.statusCode() / 100 == 2) {
                    return JSON.readTree(response.body());
                }
                retryAfter = retryAfterSeconds(response);
                throw refusal(request, response.statusCode(), response.body());
            } catch (IOException e) {
                throw new ApiException(method + " " + path + ": its answer is no JSON: " + e.getMessage(), e);
            } catch (ApiException e) {
                if (!e.isPassing() || attempt >= allowed.attempts()) {
                    throw e;
                }
            }
            Duration asked = Duration.ofSeconds(retryAfter);
            Duration wait = asked.compareTo(pause) > 0 ? asked : pause;
            Thread.sleep(wait.compareTo(allowed.longestPause()) > 0 ? allowed.longestPause() : wait);
            pause = pause.multipliedBy(2);
        }
    }

    /**
     * Reads a watch to its end: when the server ends it, which it is asked to do after the time, or when the connection
     * breaks.
     *
     * @param path with its query, {@code watch=true} among it
     * @param time how long at most
     * @param event gets each, as it is: {@code {"type", "object"}}
     */
    void watch(String path, Duration time, Consumer<JsonNode> event) throws ApiException, InterruptedException {
        HttpRequest request =
                request(path + "&timeoutSeconds=" + time.toSeconds()).GET().build();
        HttpResponse<InputStream> response = await(request, BodyHandlers.ofInputStream(), tries.timeout());
        Executor overdue =
                CompletableFuture.delayedExecutor(time.plus(WATCH_OVERDUE).toMillis(), TimeUnit.MILLISECONDS);
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                throw refusal(request, response.statusCode(), body.readNBytes(MAX_ERROR_CHARACTERS));
            }
            CompletableFuture<Void> end = CompletableFuture.runAsync(() -> close(body), overdue);
            try (MappingIterator<JsonNode> events =
                    JSON.readerFor(JsonNode.class).readValues(body)) {
                while (events.hasNextValue()) {
                    event.accept(events.nextValue());
                }
            } finally {
                end.cancel(false);
            }
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw new ApiException("the watch " + path + " broke: " + e.getMessage(), e);
        }
    }

    private static void close(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private HttpRequest.Builder request(String path) throws ApiException {
        try (InputStream file = Files.newInputStream(access.tokenFile())) {
            String token = new String(file.readNBytes(MAX_TOKEN_BYTES), java.nio.charset.StandardCharsets.US_ASCII);
            return HttpRequest.newBuilder(access.server().resolve(path))
                    .header("Accept", "application/json")
                    .header("User-Agent", "larder-csi-node")
                    .header("Authorization", "Bearer " + token.strip());
        } catch (IOException e) {
            throw new ApiException("cannot read the token " + access.tokenFile() + ": " + e.getMessage(), e);
        }
    }

    /** Headers and body, and all of it within the time. */
    private <T> HttpResponse<T> await(HttpRequest request, BodyHandler<T> handler, Duration time)
            throws ApiException, InterruptedException {
        CompletableFuture<HttpResponse<T>> answer = http.sendAsync(request, handler);
        String code = "none";
        try {
            HttpResponse<T> response = answer.get(time.toMillis(), TimeUnit.MILLISECONDS);
            code = Integer.toString(response.statusCode());
            return response;
        } catch (TimeoutException e) {
            throw new ApiException(what(request) + " got no answer within " + time.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw new ApiException(what(request) + " got no answer: " + e.getCause(), e.getCause());
        } finally {
            answer.cancel(true);
            meters.counter("larder.csi.api.requests", "method", request.method(), "code", code)
                    .increment();
        }
    }

    private static long retryAfterSeconds(HttpResponse<?> response) {
        try {
            return Math.clamp(response.headers().firstValueAsLong("Retry-After").orElse(0), 0, 3600);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** The API server explains itself in an object Status. */
    private static ApiException refusal(HttpRequest request, int code, byte[] body) {
        String text;
        try {
            text = JSON.readTree(body).path("message").asText();
        } catch (IOException e) {
            text = "";
        }
        if (text.isEmpty()) {
            text = new String(body, java.nio.charset.StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", " ");
        }
        text = text.substring(0, Math.min(text.length(), MAX_ERROR_CHARACTERS));
        return new ApiException(code, what(request) + " was answered with " + code + ": " + text);
    }

    private static String what(HttpRequest request) {
        return request.method() + " " + request.uri().getPath();
    }

    /** For what is made of literals. */
    static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    /** Ends what is under way. */
    @Override
    public void close() {
        http.shutdownNow();
        http.close();
    }
}
