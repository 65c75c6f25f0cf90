package dev.larder.csi.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeTaintTest {
    private static final String PATH = ApiPaths.node("n1");
    private static final Duration GRACE = Duration.ofSeconds(30);
    private static final String OURS = "larder.dev/agent-not-ready:NoSchedule";

    @TempDir
    private Path directory;

    private final AtomicLong now = new AtomicLong(5);
    private FakeApiServer server;
    private ApiClient client;
    private NodeTaint taint;

    @BeforeEach
    void start() throws IOException {
        server = new FakeApiServer(directory);
        server.put(PATH, "{\"metadata\":{\"name\":\"n1\"},\"spec\":{}}");
        client = server.client();
        taint = taint(true);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private NodeTaint taint(boolean enabled) {
        return new NodeTaint(client, "n1", enabled, GRACE, now::get);
    }

    private void observe(int agents, int afterSeconds) throws Exception {
        now.addAndGet(Duration.ofSeconds(afterSeconds).toNanos());
        taint.observe(agents);
    }

    private List<String> taints() {
        List<String> taints = new ArrayList<>();
        for (JsonNode one : server.get(PATH).at("/spec/taints")) {
            taints.add(one.path("key").asText() + ":" + one.path("effect").asText());
        }
        return taints;
    }

    private void others() {
        server.put(PATH, """
                {"metadata":{"name":"n1"},"spec":{"taints":[
                  {"key":"nvidia.com/gpu","effect":"NoSchedule","value":"present"},
                  {"key":"larder.dev/agent-not-ready","effect":"NoExecute"}]}}
                """);
    }

    @Test
    void comesAfterTheGraceAndGoesWithAnAgent() throws Exception {
        observe(0, 0);
        observe(0, 29);
        assertEquals(List.of(), taints());
        observe(0, 1);
        assertEquals(List.of(OURS), taints());
        assertTrue(taint.isSet());
        observe(1, 1);
        assertEquals(List.of(), taints());
        assertFalse(taint.isSet());
        observe(0, 1);
        observe(0, 29);
        assertEquals(List.of(), taints(), "each absence has a grace of its own");
    }

    @Test
    void othersStayAsTheyAre() throws Exception {
        others();
        JsonNode before = server.get(PATH).at("/spec/taints");
        observe(0, 0);
        observe(0, 30);
        assertEquals(List.of("nvidia.com/gpu:NoSchedule", "larder.dev/agent-not-ready:NoExecute", OURS), taints());
        observe(1, 1);
        assertEquals(before, server.get(PATH).at("/spec/taints"));
    }

    @Test
    void somebodyElsesChangeInBetweenIsKept() throws Exception {
        observe(0, 0);
        server.beforeNextPatch(this::others);
        observe(0, 30);
        assertEquals(List.of("nvidia.com/gpu:NoSchedule", "larder.dev/agent-not-ready:NoExecute", OURS), taints());
        assertEquals(2, server.count("PATCH"));
        server.beforeNextPatch(() -> server.put(PATH, """
                {"metadata":{"name":"n1"},"spec":{"taints":[{"key":"larder.dev/agent-not-ready","effect":"NoSchedule"}]}}
                """));
        observe(1, 1);
        assertEquals(List.of(), taints());
    }

    @Test
    void conflictsWithoutEndAreGivenUp() throws Exception {
        observe(0, 0);
        server.refuse(200, 409, 200, 409, 200, 409, 200, 409, 200, 409);
        ApiException refused = assertThrows(ApiException.class, () -> observe(0, 30));
        assertTrue(refused.isConflict());
        observe(0, 1);
        assertEquals(List.of(OURS), taints(), "the next turn tries again");
    }

    @Test
    void whatAnEarlierProcessLeftIsTakenAway() throws Exception {
        observe(0, 0);
        observe(0, 30);
        taint = taint(true);
        observe(1, 0);
        assertEquals(List.of(), taints());
    }

    @Test
    void whoEndsTakesItAway() throws Exception {
        observe(0, 0);
        observe(0, 30);
        taint.end();
        assertEquals(List.of(), taints());
    }

    @Test
    void itIsSetAgainWhereSomebodyRemovedIt() throws Exception {
        observe(0, 0);
        observe(0, 30);
        server.put(PATH, "{\"metadata\":{\"name\":\"n1\"},\"spec\":{}}");
        observe(0, 60);
        assertEquals(List.of(OURS), taints());
    }

    @Test
    void switchedOffItIsTakenAwayAndNeverSet() throws Exception {
        observe(0, 0);
        observe(0, 30);
        taint = taint(false);
        observe(0, 1);
        assertEquals(List.of(), taints());
        observe(0, 100);
        assertEquals(List.of(), taints());
    }

    @Test
    void nothingIsAskedWhileNothingChanges() throws Exception {
        observe(1, 0);
        observe(1, 2);
        observe(1, 2);
        assertEquals(1, server.requests.size());
    }
}
