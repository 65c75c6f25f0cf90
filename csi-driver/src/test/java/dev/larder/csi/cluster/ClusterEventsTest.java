package dev.larder.csi.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.csi.PodReference;
import dev.larder.csi.PublishedPods;
import dev.larder.csi.VolumeEvent;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterEventsTest {
    private static final String EVENTS = ApiPaths.events("team");
    private static final PodReference POD = new PodReference("team", "trainer-0", "pod-uid");

    @TempDir
    private Path directory;

    private final UUID volume = UUID.randomUUID();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private Instant now = Instant.parse("2026-11-30T09:00:00.123456Z");
    private FakeApiServer server;
    private ApiClient client;
    private ClusterEvents events;

    @BeforeEach
    void start() throws IOException {
        server = new FakeApiServer(directory);
        server.put(ApiPaths.sharedVolume("team", "data"), "{\"metadata\":{\"name\":\"data\",\"uid\":\"sv-uid\"}}");
        client = server.client();
        events = new ClusterEvents("n1", new PublishedPods(), new EventSender(client, "n1", () -> now, meters), meters);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private double counted(String result) {
        return meters.counter("larder.csi.events", "result", result).count();
    }

    @Test
    void thePodAndTheVolumeHearOfItAndOfTheNextCommand() throws Exception {
        events.tell(VolumeEvent.FS_GROUP_KEPT, volume, "team/data", POD, "fsGroup 5 changes nothing");
        events.take();
        List<JsonNode> sent = server.below(EVENTS);
        assertEquals(2, sent.size());
        JsonNode about = sent.getFirst();
        assertEquals(
                "{\"apiVersion\":\"larder.dev/v1alpha1\",\"kind\":\"SharedVolume\",\"namespace\":\"team\",\"name\":\"data\",\"uid\":\"sv-uid\"}",
                about.path("regarding").toString());
        assertEquals(
                "Warning FSGroup n1 2026-11-30T09:00:00.123456Z".replace("FSGroup", "FsGroupChangesNothing"),
                about.path("type").asText() + " " + about.path("reason").asText() + " "
                        + about.path("reportingInstance").asText() + " "
                        + about.path("eventTime").asText());
        JsonNode pod = sent.getLast();
        assertEquals("pod-uid", pod.at("/regarding/uid").asText());
        assertEquals(
                "volume team/data on node n1: fsGroup 5 changes nothing; next: kubectl exec trainer-0 -n team -- ls"
                        + " -ldn MOUNTPATH",
                pod.path("note").asText());
    }

    @Test
    void everyNoteEndsInACommand() throws Exception {
        for (VolumeEvent event : VolumeEvent.values()) {
            events.tell(event, volume, "team/data", POD, "something happened");
        }
        for (int i = 0; i < VolumeEvent.values().length; i++) {
            events.take();
        }
        List<JsonNode> sent = server.below(EVENTS);
        assertEquals(2 * VolumeEvent.values().length, sent.size());
        for (JsonNode event : sent) {
            String note = event.path("note").asText();
            assertTrue(note.matches(".*; next: kubectl \\S.*"), note);
        }
    }

    @Test
    void theSameAgainOnlyCounts() throws Exception {
        for (int i = 0; i < 5; i++) {
            events.tell(VolumeEvent.SECRET_NOT_ADOPTED, volume, "team/data", null, "no password");
            events.take();
        }
        assertEquals(1, server.below(EVENTS).size());
        assertEquals(0, server.count("PATCH"));
        now = now.plus(EventSender.BETWEEN_COUNTS);
        events.take();
        JsonNode series = server.below(EVENTS).getFirst().path("series");
        assertEquals("{\"count\":5,\"lastObservedTime\":\"2026-11-30T09:00:00.123456Z\"}", series.toString());
        now = now.plus(EventSender.WINDOW);
        events.tell(VolumeEvent.SECRET_NOT_ADOPTED, volume, "team/data", null, "no password");
        events.take();
        assertEquals(2, server.below(EVENTS).size());
        assertEquals(4, counted("repeated"));
    }

    @Test
    void aCrowdIsCutShort() throws Exception {
        for (int i = 0; i < EventSender.BURST + 5; i++) {
            PodReference pod = new PodReference("team", "pod-" + i, "uid-" + i);
            events.tell(VolumeEvent.MOUNT_REVIVED, volume, null, pod, "it is back");
            events.take();
        }
        assertEquals(EventSender.BURST, server.below(EVENTS).size());
        assertEquals(5, counted("dropped"));
        now = now.plus(EventSender.REFILL);
        events.tell(VolumeEvent.MOUNT_REVIVED, volume, null, POD, "it is back");
        events.take();
        assertEquals(EventSender.BURST + 1, server.below(EVENTS).size());
    }

    @Test
    void whatWaitsIsBounded() {
        for (int i = 0; i < 100; i++) {
            events.tell(VolumeEvent.MOUNT_ABORTED, volume, "team/data", null, "nobody is there");
        }
        assertEquals(36, counted("dropped"));
    }

    /** Neither is lost or told twice. */
    @Test
    void anApiServerThatIsAwayIsWaitedFor() throws Exception {
        events.tell(VolumeEvent.MOUNT_ABORTED, volume, "team/data", POD, "nobody is there");
        server.refuse(500, 500, 500, 500);
        assertThrows(ApiException.class, () -> events.take());
        assertEquals(0, server.below(EVENTS).size());
        events.take();
        assertEquals(2, server.below(EVENTS).size());
    }

    @Test
    void whatIsRefusedIsCountedAndForgotten() throws Exception {
        server.delete(ApiPaths.sharedVolume("team", "data"));
        events.tell(VolumeEvent.MOUNT_ABORTED, volume, "team/data", null, "nobody is there");
        events.take();
        assertEquals(1, counted("failed"));
        assertEquals(0, server.below(EVENTS).size());
    }
}
