package dev.larder.csi.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.larder.csi.cluster.CacheSnapshot.Share;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeCacheReportTest {
    private static final String PATH = ApiPaths.nodeCache("n1");
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory;

    private Instant now = Instant.parse("2026-11-30T09:00:00.5Z");
    private CacheSnapshot snapshot = serving(new TreeMap<>());
    private FakeApiServer server;
    private ApiClient client;
    private NodeCacheReport report;

    @BeforeEach
    void start() throws IOException {
        server = new FakeApiServer(directory);
        server.put(ApiPaths.node("n1"), "{\"metadata\":{\"name\":\"n1\",\"uid\":\"node-uid\"}}");
        client = server.client();
        report = report();
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private NodeCacheReport report() {
        return new NodeCacheReport(client, "n1", () -> snapshot, () -> now);
    }

    private static CacheSnapshot serving(SortedMap<String, Share> volumes) {
        long used = volumes.values().stream().mapToLong(Share::cachedBytes).sum();
        return new CacheSnapshot(true, "Serving", "all is well", 100 * MIB, used, volumes);
    }

    private static SortedMap<String, Share> volume(String id, long cached) {
        SortedMap<String, Share> volumes = new TreeMap<>();
        volumes.put(id, new Share("team/" + id, cached, 2 * MIB, 3 * MIB, 4));
        return volumes;
    }

    private void reportAfter(Duration time) throws Exception {
        now = now.plus(time);
        report.report();
    }

    private JsonNode status() {
        return server.get(PATH).path("status");
    }

    @Test
    void itIsMadeWhenMissingAndEndsWithItsNode() throws Exception {
        snapshot = serving(volume("a", 5 * MIB));
        report.report();
        JsonNode made = server.get(PATH);
        assertEquals(
                "[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n1\",\"uid\":\"node-uid\"}]",
                made.at("/metadata/ownerReferences").toString());
        assertTrue(made.path("spec").isObject());
        assertEquals(
                "{\"volume\":\"team/a\",\"cachedBytes\":5242880,\"hitBytes\":2097152,\"missBytes\":3145728,\"dirtyBytes\":4}",
                status().at("/volumes/a").toString());
        assertEquals(
                "104857600 5242880 2026-11-30T09:00:00Z",
                status().path("capacity").asText() + " " + status().path("used").asText() + " "
                        + status().path("observed").asText());
        server.delete(PATH);
        reportAfter(NodeCacheReport.LATE);
        assertEquals("5242880", status().path("used").asText());
    }

    @Test
    void littleChangesWaitAMinuteAndOthersTenSeconds() throws Exception {
        snapshot = serving(volume("a", 50 * MIB));
        report.report();
        snapshot = serving(volume("a", 51 * MIB));
        reportAfter(Duration.ofSeconds(10));
        assertEquals(1, server.count("PATCH"));
        snapshot = serving(volume("a", 60 * MIB));
        reportAfter(Duration.ofSeconds(9));
        assertEquals(1, server.count("PATCH"));
        reportAfter(Duration.ofSeconds(1));
        assertEquals(2, server.count("PATCH"));
        assertEquals(Long.toString(60 * MIB), status().path("used").asText());
        for (int i = 0; i < 5; i++) {
            reportAfter(Duration.ofSeconds(10));
        }
        assertEquals(2, server.count("PATCH"));
        reportAfter(Duration.ofSeconds(10));
        assertEquals(3, server.count("PATCH"), "it is written each minute at least");
    }

    @Test
    void theFirstByteIsNeverLittle() {
        CacheSnapshot empty = serving(volume("a", 0));
        assertFalse(empty.isNear(serving(volume("a", 1))));
        assertTrue(serving(volume("a", 1)).isNear(serving(volume("a", 2))));
        assertFalse(empty.isNear(serving(volume("b", 0))));
        assertFalse(serving(volume("a", 10 * MIB)).isNear(serving(volume("a", 12 * MIB))));
        assertTrue(serving(volume("a", 1000 * MIB)).isNear(serving(volume("a", 1010 * MIB))));
    }

    /** Also one that an earlier process wrote. */
    @Test
    void aVolumeThatIsNotMountedAnyMoreGoes() throws Exception {
        snapshot = serving(volume("a", MIB));
        report.report();
        snapshot = serving(volume("b", MIB));
        report = report();
        report.report();
        assertTrue(status().at("/volumes/a").isMissingNode());
        assertEquals("team/b", status().at("/volumes/b/volume").asText());
    }

    @Test
    void theConditionKeepsTheTimeOfItsLastTurn() throws Exception {
        report.report();
        reportAfter(NodeCacheReport.LATE);
        assertEquals("True 2026-11-30T09:00:00Z", condition());
        snapshot = new CacheSnapshot(false, "NoAgent", "nobody", 0, 0, new TreeMap<>());
        reportAfter(NodeCacheReport.SOON);
        assertEquals("False 2026-11-30T09:01:10Z", condition());
        assertEquals("104857600", status().path("capacity").asText(), "what nobody can say stays as it was");
    }

    private String condition() {
        JsonNode condition = status().at("/conditions/0");
        return condition.path("status").asText() + " "
                + condition.path("lastTransitionTime").asText();
    }

    @Test
    void aFailureIsMadeUpForInTheNextTurn() throws Exception {
        report.report();
        server.refuse(500, 500, 500, 500);
        assertThrows(ApiException.class, () -> reportAfter(NodeCacheReport.LATE));
        snapshot = serving(volume("a", MIB));
        reportAfter(NodeCacheReport.SOON);
        assertEquals("team/a", status().at("/volumes/a/volume").asText());
    }

    @Test
    void onlyFieldsOfTheKindAreWritten() throws Exception {
        snapshot = serving(volume("a", MIB));
        report.report();
        JsonNode patch = server.written.getLast();
        try (InputStream yaml = getClass().getResourceAsStream("/crds/nodecaches.larder.dev.yaml")) {
            JsonNode kind = new YAMLMapper().readTree(yaml).at("/spec/versions/0/schema/openAPIV3Schema");
            known(patch.path("status"), kind.at("/properties/status"));
        }
    }

    /** The API server would drop others silently. */
    static void known(JsonNode value, JsonNode schema) {
        if (value.isArray()) {
            value.forEach(item -> known(item, schema.path("items")));
        }
        value.properties().forEach(field -> {
            JsonNode inner = schema.path("properties").has(field.getKey())
                    ? schema.path("properties").path(field.getKey())
                    : schema.path("additionalProperties");
            assertFalse(inner.isMissingNode(), field.getKey());
            known(field.getValue(), inner);
        });
    }
}
