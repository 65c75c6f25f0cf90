package dev.larder.install;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The API server as a pod reaches it: its address from the environment, token and certificate from the service account's
 * directory. A server that does not answer is asked again for two minutes: an install may find one that is starting.
 */
final class ApiServer implements AutoCloseable {
    private static final Path ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");
    private static final Duration REQUEST = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int PAGE = 500;
    private static final int MOST_PAGES = 2000;

    /** A status outside of 200 to 299, and what the server said of it. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int status;

        private Refusal(String message, int status) {
            super(message);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    private final URI base;
    private final String token;
    private final HttpClient client;
    private final Duration patience;
    private final ObjectMapper json = new ObjectMapper();

    ApiServer(URI base, String token, HttpClient client, Duration patience) {
        this.base = base;
        this.token = token;
        this.client = client;
        this.patience = patience;
    }

    /** @throws InstallException outside of a pod */
    static ApiServer ofPod(Map<String, String> environment) {
        String host = environment.get("KUBERNETES_SERVICE_HOST");
        if (host == null || !Files.isReadable(ACCOUNT.resolve("token"))) {
            throw new InstallException("this runs in a pod with a service account's token; " + ACCOUNT
                    + "/token or KUBERNETES_SERVICE_HOST is missing");
        }
        String name = host.contains(":") ? "[" + host + "]" : host;
        URI base =
                URI.create("https://" + name + ":" + environment.getOrDefault("KUBERNETES_SERVICE_PORT_HTTPS", "443"));
        try {
            HttpClient client = HttpClient.newBuilder()
                    .sslContext(trusting(ACCOUNT.resolve("ca.crt")))
                    .connectTimeout(REQUEST)
                    .build();
            return new ApiServer(
                    base, Files.readString(ACCOUNT.resolve("token")).strip(), client, PATIENCE);
        } catch (IOException | GeneralSecurityException e) {
            throw new InstallException("the service account's files in " + ACCOUNT + " cannot be used: " + e, e);
        }
    }

    private static SSLContext trusting(Path bundle) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = Files.newInputStream(bundle)) {
            int number = 0;
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("ca" + number++, certificate);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** @throws Refusal when the server refuses it; 404 when there is no such thing */
    JsonNode get(String path) {
        return send(request(path).GET());
    }

    /** @throws Refusal 409 when it is there already */
    JsonNode create(String path, JsonNode object) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(object.toString())));
    }

    /** Server-side apply: makes it, or changes the fields that the YAML names. */
    JsonNode apply(String path, String yaml) {
        return send(request(path + "?fieldManager=larder&force=true")
                .header("Content-Type", "application/apply-patch+yaml")
                .method("PATCH", HttpRequest.BodyPublishers.ofString(yaml)));
    }

    /** All items of a list, page by page. */
    List<JsonNode> list(String path) {
        List<JsonNode> items = new ArrayList<>();
        String next = "";
        for (int page = 0; page < MOST_PAGES; page++) {
            JsonNode answer = get(path + "?limit=" + PAGE + (next.isEmpty() ? "" : "&continue=" + next));
            answer.path("items").forEach(items::add);
            next = answer.path("metadata").path("continue").asText();
            if (next.isEmpty()) {
                return items;
            }
        }
        throw new InstallException(path + " lists more than " + MOST_PAGES * PAGE + " objects");
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve(path))
                .timeout(REQUEST)
                .header("Accept", "application/json")
                .header("Authorization", "Bearer " + token);
    }

    private JsonNode send(HttpRequest.Builder builder) {
        HttpRequest request = builder.build();
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() < 500 && response.statusCode() != 429) {
                    return body(request, response);
                }
                pauseUntil(end, request, "status " + response.statusCode(), null);
            } catch (IOException e) {
                pauseUntil(end, request, e.toString(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InstallException("interrupted", e);
            }
        }
    }

    private JsonNode body(HttpRequest request, HttpResponse<String> response) throws IOException {
        JsonNode body = json.readTree(response.body());
        if (response.statusCode() / 100 == 2) {
            return body;
        }
        throw new Refusal(
                "the API server refuses %s %s: %d %s"
                        .formatted(
                                request.method(),
                                request.uri().getPath(),
                                response.statusCode(),
                                body.path("message").asText()),
                response.statusCode());
    }

    private static void pauseUntil(long end, HttpRequest request, String cause, IOException failure) {
        if (System.nanoTime() - end > 0) {
            throw new InstallException(
                    "no answer to " + request.method() + " " + request.uri() + ": " + cause, failure);
        }
        try {
            Thread.sleep(500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InstallException("interrupted", e);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
