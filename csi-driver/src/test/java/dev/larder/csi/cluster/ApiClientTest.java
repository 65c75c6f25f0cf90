package dev.larder.csi.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiClientTest {
    private static final String NODE = ApiPaths.node("n1");

    @TempDir
    private Path directory;

    private FakeApiServer server;
    private ApiClient client;

    @BeforeEach
    void start() throws IOException {
        server = new FakeApiServer(directory);
        server.put(NODE, "{\"metadata\":{\"name\":\"n1\"}}");
        client = server.client();
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    @Test
    void whatMayPassIsTriedAgain() throws Exception {
        server.refuse(500, 429, 503);
        assertEquals("n1", client.get(NODE).at("/metadata/name").asText());
        assertEquals(4, server.requests.size());
    }

    @Test
    void triesAreBounded() {
        server.refuse(500, 500, 500, 503, 500);
        ApiException refused = assertThrows(ApiException.class, () -> client.get(NODE));
        assertEquals(503, refused.status());
        assertEquals(4, server.requests.size());
    }

    @Test
    void aRefusalIsNotTriedAgainAndSaysWhy() {
        server.refuse(403);
        ApiException refused = assertThrows(ApiException.class, () -> client.get(NODE));
        assertEquals(403, refused.status());
        assertEquals("GET " + NODE + " was answered with 403: refused by the test", refused.getMessage());
        assertEquals(1, server.requests.size());
    }

    @Test
    void whatIsSentOftenIsTriedOnce() {
        server.refuse(500);
        ApiException refused = assertThrows(
                ApiException.class,
                () -> client.patchOnce(
                        NODE, ApiClient.Patch.MERGE, ApiClient.json().createObjectNode()));
        assertTrue(refused.isPassing());
        assertEquals(1, server.requests.size());
    }

    @Test
    void anAnswerThatDoesNotComeIsAFailure() throws Exception {
        Duration pause = Duration.ofMillis(1);
        try (ApiClient hasty = server.client(new ApiClient.Tries(2, Duration.ofMillis(300), pause, pause))) {
            server.refuse(0, 0);
            ApiException silent = assertThrows(ApiException.class, () -> hasty.get(NODE));
            assertEquals(ApiException.NO_ANSWER, silent.status());
            assertEquals(2, server.requests.size());
        }
    }

    @Test
    void nobodyListens() throws Exception {
        server.close();
        ApiException silent = assertThrows(ApiException.class, () -> client.get(NODE));
        assertTrue(silent.isPassing(), silent.getMessage());
        assertTrue(silent.getMessage().startsWith("GET " + NODE), silent.getMessage());
    }

    /** Kubelet replaces it before it expires. */
    @Test
    void theTokenIsReadForEachRequest() throws Exception {
        client.get(NODE);
        server.replaceToken("second");
        client.get(NODE);
        assertEquals(List.of("Bearer first", "Bearer second"), server.tokens);
    }

    @Test
    void aMissingTokenOrCaIsNamed() throws Exception {
        Files.delete(directory.resolve("token"));
        ApiException missing = assertThrows(ApiException.class, () -> client.get(NODE));
        assertTrue(missing.getMessage().contains(directory.resolve("token").toString()), missing.getMessage());
        Path empty = Files.writeString(directory.resolve("ca.crt"), "");
        IOException refused = assertThrows(IOException.class, () -> Trust.only(empty));
        assertTrue(refused.getMessage().contains(empty.toString()), refused.getMessage());
    }

    @Test
    void aMissingObjectIsNoFailureThatPasses() {
        ApiException missing = assertThrows(ApiException.class, () -> client.get(ApiPaths.node("n2")));
        assertTrue(missing.isNotFound());
        assertFalse(missing.isPassing());
    }
}
