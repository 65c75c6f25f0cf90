package dev.larder.csi.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheObserverTest {
    @TempDir
    private Path directory;

    private FakeNode node;

    @BeforeEach
    void start() {
        node = new FakeNode(directory);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    static FakeNode.Agent cache(long used, long dirty) {
        return (request, lines) -> lines.write(
                request.path("command").asText().equals("cache")
                        ? "{\"result\":{\"capacityBytes\":1000,\"usedBytes\":" + used
                                + ",\"hitBytes\":20,\"missBytes\":30}}"
                        : "{\"result\":{\"state\":\"serving\",\"uploadsPendingBytes\":" + dirty + "}}");
    }

    private CacheSnapshot observe(Duration patience) {
        return new CacheObserver(node, "n1", patience).observe();
    }

    private CacheSnapshot observe() {
        return observe(Duration.ofSeconds(20));
    }

    @Test
    void volumesAreAddedUp() throws IOException {
        UUID a = node.mount("team/a", cache(100, 7));
        UUID b = node.mount("team/b", cache(200, 0));
        CacheSnapshot snapshot = observe();
        assertTrue(snapshot.ready());
        assertEquals(1000, snapshot.capacityBytes());
        assertEquals(300, snapshot.usedBytes());
        assertEquals(
                Map.of(
                        a.toString(), new CacheSnapshot.Share("team/a", 100, 20, 30, 7),
                        b.toString(), new CacheSnapshot.Share("team/b", 200, 20, 30, 0)),
                snapshot.volumes());
        // Names of files would be asked of the volume's database.
        assertEquals(0, node.asked.getFirst().path("limit").asInt(-1));
    }

    @Test
    void withoutAnAgentNobodyIsAsked() throws IOException {
        UUID a = node.mount("team/a", cache(100, 0));
        node.leave(a);
        node.agents = 0;
        CacheSnapshot snapshot = observe();
        assertFalse(snapshot.ready());
        assertEquals("NoAgent", snapshot.reason());
        assertTrue(snapshot.message().contains("; next: kubectl get pods"), snapshot.message());
        assertEquals(0, node.asked.size());
    }

    @Test
    void aVolumeThatIsNotServedIsNamed() throws IOException {
        node.leave(node.mount("team/a", cache(100, 0)));
        node.mount("team/b", cache(200, 0));
        CacheSnapshot snapshot = observe();
        assertEquals("VolumesNotServed", snapshot.reason());
        assertTrue(snapshot.message().contains("team/a;"), snapshot.message());
        assertEquals(1, snapshot.volumes().size());
    }

    @Test
    void anAgentThatHangsOrRefusesIsNamed() throws IOException {
        node.mount("team/a", (request, lines) -> {});
        node.mount("team/b", (request, lines) -> lines.write("{\"error\":{\"message\":\"no\"}}"));
        node.mount("team/c", cache(200, 0));
        CacheSnapshot snapshot = observe(Duration.ofMillis(300));
        assertEquals("AgentSilent", snapshot.reason());
        assertTrue(snapshot.message().contains("team/a"), snapshot.message());
        assertTrue(snapshot.message().contains("team/b"), snapshot.message());
        assertEquals(200, snapshot.usedBytes());
    }

    @Test
    void aNodeWithoutVolumesIsReadyWithItsAgent() {
        assertTrue(observe().ready());
    }
}
