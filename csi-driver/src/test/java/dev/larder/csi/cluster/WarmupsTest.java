package dev.larder.csi.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WarmupsTest {
    private static final Duration TURN = Duration.ofMillis(20);

    @TempDir
    private Path directory;

    private final CountDownLatch finish = new CountDownLatch(1);
    private FakeApiServer server;
    private ApiClient client;
    private FakeNode node;
    private Warmups warmups;
    private Loop watching;
    private Loop taking;

    @BeforeEach
    void start() throws IOException {
        server = new FakeApiServer(directory);
        server.put(ApiPaths.node("n1"), """
                {"metadata":{"name":"n1","labels":{"gpu":"true","zone":"a"}}}
                """);
        client = server.client();
        node = new FakeNode(directory);
    }

    private void begin() {
        WarmupBoard board = new WarmupBoard("n1", System::nanoTime);
        warmups = new Warmups(client, "n1", node, board, System::nanoTime, new SimpleMeterRegistry());
        watching = Loop.start("watch", TURN, new WarmupWatch(client, board, Duration.ofSeconds(60))::watch);
        taking = Loop.start("take", TURN, warmups::take);
    }

    /** As when the process dies. */
    private void end() {
        taking.close();
        warmups.close();
        watching.close();
    }

    @AfterEach
    void stop() {
        finish.countDown();
        if (taking != null) {
            end();
        }
        client.close();
        node.close();
        server.close();
    }

    private void put(String name, String spec, String status) {
        server.put(
                ApiPaths.warmup("team", name),
                "{\"metadata\":{\"name\":\"" + name + "\",\"namespace\":\"team\"},\"spec\":" + spec + ",\"status\":"
                        + status + "}");
    }

    private static String spec(String volume) {
        return "{\"volume\":\"" + volume + "\",\"paths\":[\"/shards\"]}";
    }

    private JsonNode entry(String name) {
        return server.get(ApiPaths.warmup("team", name)).at("/status/nodes/n1");
    }

    private String phase(String name) {
        return entry(name).path("phase").asText();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "not so in time");
            Thread.sleep(10);
        }
    }

    private static final FakeNode.Agent QUICK = (request, lines) -> {
        lines.write("{\"progress\":{\"what\":\"counting\",\"done\":0,\"total\":0,\"unit\":\"\"}}");
        lines.write("{\"progress\":{\"what\":\"warming up\",\"done\":3,\"total\":9,\"unit\":\"bytes\"}}");
        lines.write("{\"result\":{\"files\":2,\"bytes\":9,\"failed\":[]}}");
    };

    /** Says how far it is, and is done when the test lets it. */
    private final FakeNode.Agent slow = (request, lines) -> {
        lines.write("{\"progress\":{\"what\":\"warming up\",\"done\":3,\"total\":9,\"unit\":\"bytes\"}}");
        try {
            if (!finish.await(30, TimeUnit.SECONDS)) {
                throw new IOException("the test does not end");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        lines.write("{\"result\":{\"files\":2,\"bytes\":9,\"failed\":[]}}");
    };

    @Test
    void filesAreFetchedAndTheEntrySaysSo() throws Exception {
        node.mount("team/data", QUICK);
        begin();
        put("one", spec("data"), "{\"nodes\":{\"n2\":{\"phase\":\"Running\",\"doneBytes\":1}}}");
        await(() -> phase("one").equals("Done"));
        assertEquals(
                "{\"phase\":\"Done\",\"doneBytes\":9,\"totalBytes\":9}",
                entry("one").toString());
        assertEquals("[\"/shards\"]", node.asked.getFirst().path("paths").toString());
        JsonNode other = server.get(ApiPaths.warmup("team", "one")).at("/status/nodes/n2");
        assertEquals("{\"phase\":\"Running\",\"doneBytes\":1}", other.toString());
        assertEquals(1, node.askedFor("warmup"));
        assertEquals(2, server.count("PATCH"), "progress within a second is left out");
    }

    @Test
    void onlyFieldsOfTheKindAreWritten() throws Exception {
        node.mount("team/data", QUICK);
        put("one", spec("data"), "{}");
        begin();
        await(() -> phase("one").equals("Done"));
        try (InputStream yaml = getClass().getResourceAsStream("/crds/cachewarmups.larder.dev.yaml")) {
            JsonNode kind = new YAMLMapper().readTree(yaml).at("/spec/versions/0/schema/openAPIV3Schema");
            NodeCacheReportTest.known(server.written.getFirst().path("status"), kind.at("/properties/status"));
            JsonNode entry = server.written.getLast().at("/1/value");
            assertEquals("Done", entry.path("phase").asText());
            NodeCacheReportTest.known(entry, kind.at("/properties/status/properties/nodes/additionalProperties"));
        }
    }

    @Test
    void othersAreLeftAlone() throws Exception {
        node.mount("team/data", QUICK);
        put("elsewhere", spec("unmounted"), "{}");
        put("other-namespace", spec("data"), "{}");
        server.put(
                ApiPaths.warmup("rivals", "theirs"),
                "{\"metadata\":{\"name\":\"theirs\",\"namespace\":\"rivals\"},\"spec\":" + spec("data") + "}");
        put("other-node", "{\"volume\":\"data\",\"nodeSelector\":{\"gpu\":\"false\"}}", "{}");
        put("finished", spec("data"), "{\"nodes\":{\"n1\":{\"phase\":\"Done\",\"doneBytes\":1}}}");
        put("failed", spec("data"), "{\"nodes\":{\"n1\":{\"phase\":\"Failed\",\"doneBytes\":1}}}");
        put("selected", "{\"volume\":\"data\",\"nodeSelector\":{\"gpu\":\"true\",\"zone\":\"a\"}}", "{}");
        begin();
        await(() -> phase("selected").equals("Done") && phase("other-namespace").equals("Done"));
        assertEquals("", phase("elsewhere"));
        assertEquals("", phase("other-node"));
        assertEquals(
                "",
                server.get(ApiPaths.warmup("rivals", "theirs"))
                        .at("/status/nodes/n1/phase")
                        .asText());
        assertEquals(1, entry("finished").path("doneBytes").asInt());
        assertEquals("Failed", phase("failed"));
        assertEquals(2, node.askedFor("warmup"));
        assertEquals("[\"/\"]", node.asked.getLast().path("paths").toString(), "the default is all of the volume");
    }

    @Test
    void oneThatIsThereBeforeItsVolumeBeginsWithIt() throws Exception {
        put("early", spec("data"), "{}");
        begin();
        await(() -> server.count("GET " + ApiPaths.WARMUPS + "?watch") > 0);
        node.mount("team/data", QUICK);
        await(() -> phase("early").equals("Done"));
    }

    /** csi-node died, or was replaced, in the middle. */
    @Test
    void whatAnEarlierProcessBeganIsRunAgain() throws Exception {
        node.mount("team/data", slow);
        put("one", spec("data"), "{}");
        begin();
        await(() -> phase("one").equals("Running") && node.askedFor("warmup") == 1);
        end();
        assertEquals("Running", phase("one"));
        finish.countDown();
        begin();
        await(() -> phase("one").equals("Done"));
        assertEquals(2, node.askedFor("warmup"));
    }

    @Test
    void anAgentThatGoesAwayIsAskedAgain() throws Exception {
        node.mount("team/data", (request, lines) -> {
            if (node.askedFor("warmup") < 2) {
                throw new IOException("the agent is killed");
            }
            QUICK.answer(request, lines);
        });
        put("one", spec("data"), "{}");
        begin();
        await(() -> phase("one").equals("Done"));
        assertEquals(2, node.askedFor("warmup"));
    }

    @Test
    void failuresHaveTheirCauseAndTheNextCommand() throws Exception {
        node.mount(
                "team/refusing",
                (request, lines) ->
                        lines.write("{\"error\":{\"message\":\"the bucket is gone\",\"hint\":\"larder status\"}}"));
        node.mount(
                "team/partly",
                (request, lines) ->
                        lines.write("{\"result\":{\"files\":1,\"bytes\":4,\"failed\":[\"/shards/x: no such file\"]}}"));
        put("refused", spec("refusing"), "{}");
        put("partly", spec("partly"), "{}");
        begin();
        await(() -> phase("refused").equals("Failed") && phase("partly").equals("Failed"));
        assertEquals(
                "the bucket is gone; next: larder status",
                entry("refused").path("message").asText());
        assertEquals(
                "1 could not be read: /shards/x: no such file; next: kubectl describe sharedvolume -n team partly",
                entry("partly").path("message").asText());
        assertEquals(4, entry("partly").path("doneBytes").asInt());
    }

    @Test
    void oneAtATimeForAVolume() throws Exception {
        node.mount("team/data", slow);
        node.mount("team/more", QUICK);
        put("first", spec("data"), "{}");
        put("second", spec("data"), "{}");
        put("third", spec("more"), "{}");
        begin();
        await(() -> phase("first").equals("Running") && phase("third").equals("Done"));
        assertEquals("", phase("second"));
        finish.countDown();
        await(() -> phase("first").equals("Done") && phase("second").equals("Done"));
    }

    @Test
    void aDeletedOneIsGivenUp() throws Exception {
        node.mount("team/data", slow);
        put("first", spec("data"), "{}");
        begin();
        await(() -> node.askedFor("warmup") == 1);
        server.delete(ApiPaths.warmup("team", "first"));
        finish.countDown();
        put("second", spec("data"), "{}");
        await(() -> phase("second").equals("Done"));
    }

    @Test
    void theEntryGoesWithTheVolume() throws Exception {
        put("left", spec("gone"), "{\"nodes\":{\"n1\":{\"phase\":\"Running\",\"doneBytes\":1}}}");
        begin();
        await(() -> entry("left").isMissingNode());
        UUID volume = node.mount("team/data", (request, lines) -> {
            slow.answer(request, text -> {});
            throw new IOException("the volume is unmounted");
        });
        put("one", spec("data"), "{}");
        await(() -> phase("one").equals("Running") && node.askedFor("warmup") == 1);
        node.unmount(volume, Duration.ZERO);
        finish.countDown();
        await(() -> entry("one").isMissingNode());
        assertEquals(1, node.askedFor("warmup"));
    }

    @Test
    void aVersionThatIsTooOldIsListedAnew() throws Exception {
        node.mount("team/data", QUICK);
        put("before", spec("data"), "{}");
        begin();
        await(() -> phase("before").equals("Done"));
        int lists = server.count("GET " + ApiPaths.WARMUPS + "?limit");
        put("missed", spec("data"), "{}");
        server.forget();
        await(() -> phase("missed").equals("Done"));
        await(() -> server.count("GET " + ApiPaths.WARMUPS + "?limit") > lists);
    }

    /** HTTP's own 410, and a list of several pages. */
    @Test
    void aWatchThatIsRefusedListsEveryPageAnew() throws Exception {
        for (int i = 0; i < 5; i++) {
            put("w" + i, spec("data"), "{}");
        }
        server.refuse(410, 500, 500, 500, 500);
        begin();
        node.mount("team/data", QUICK);
        await(() -> {
            boolean all = true;
            for (int i = 0; i < 5; i++) {
                all &= phase("w" + i).equals("Done");
            }
            return all;
        });
        assertTrue(server.count("GET " + ApiPaths.WARMUPS + "?limit=50&continue=4") > 0);
    }

    @Test
    void anotherOfTheSameNameIsNotTakenForIt() throws Exception {
        node.mount("team/data", slow);
        put("one", spec("data"), "{}");
        begin();
        await(() -> node.askedFor("warmup") == 1);
        server.delete(ApiPaths.warmup("team", "one"));
        put("one", "{\"volume\":\"unmounted\"}", "{}");
        finish.countDown();
        put("two", spec("data"), "{}");
        await(() -> phase("two").equals("Done"));
        assertTrue(entry("one").isMissingNode());
    }
}
