package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.larder.csi.VolumeEvent;
import dev.larder.csi.cluster.ApiClient.Patch;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes events of events.k8s.io: the same one about the same object within {@link #WINDOW} only raises its count, and all
 * together are few. One thread.
 */
final class EventSender {
    private static final Logger LOG = LoggerFactory.getLogger(EventSender.class);

    static final Duration WINDOW = Duration.ofMinutes(10);
    static final Duration BETWEEN_COUNTS = Duration.ofMinutes(1);

    /** At once, and how long one more takes. */
    static final int BURST = 20;

    static final Duration REFILL = Duration.ofSeconds(6);

    private static final int MOST_REMEMBERED = 256;
    private static final int MAX_NOTE = 1024;
    private static final DateTimeFormatter MICRO_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    /** An event that was sent. */
    private static final class Sent {
        private final String path;
        private final Instant since;
        private Instant told;
        private Instant seen;
        private int count = 1;
        private int toldCount = 1;

        Sent(String path, Instant since) {
            this.path = path;
            this.since = since;
            this.told = since;
            this.seen = since;
        }
    }

    private final ApiClient api;
    private final String node;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final Map<String, Sent> sent = new LinkedHashMap<>();
    private double tokens = BURST;
    private Instant filled;

    EventSender(ApiClient api, String node, InstantSource clock, MeterRegistry meters) {
        this.api = api;
        this.node = node;
        this.clock = clock;
        this.meters = meters;
        this.filled = clock.instant();
    }

    /**
     * @param name of the new event, the same when this is called again for it
     * @throws ApiException when it may succeed later
     */
    void send(VolumeEvent event, Regarding regarding, String note, String name)
            throws ApiException, InterruptedException {
        Instant now = clock.instant();
        String key = regarding.kind() + " " + regarding.namespace() + " " + regarding.name() + " " + event;
        Sent before = sent.get(key);
        if (before != null && now.isBefore(before.since.plus(WINDOW))) {
            before.count++;
            before.seen = now;
            count("repeated");
            return;
        }
        if (!takeToken(now)) {
            LOG.warn("too many events: not told reason={} about={} note={}", event.reason(), regarding.name(), note);
            count("dropped");
            return;
        }
        try {
            Regarding known = regarding.uid().isEmpty() ? identified(regarding) : regarding;
            api.create(ApiPaths.events(regarding.namespace()), json(event, known, note, name, now));
            remember(key, new Sent(ApiPaths.events(regarding.namespace()) + "/" + name, now));
            count("sent");
        } catch (ApiException e) {
            failed(e, event, regarding);
        }
    }

    /** One that exists already was sent by an attempt whose answer was lost. */
    private void failed(ApiException e, VolumeEvent event, Regarding regarding) throws ApiException {
        if (e.isPassing()) {
            tokens++;
            throw e;
        }
        LOG.warn("an event is not told reason={} about={} cause={}", event.reason(), regarding.name(), e.getMessage());
        count("failed");
    }

    private Regarding identified(Regarding volume) throws ApiException, InterruptedException {
        JsonNode found = api.get(ApiPaths.sharedVolume(volume.namespace(), volume.name()));
        return volume.withUid(found.path("metadata").path("uid").asText());
    }

    private boolean takeToken(Instant now) {
        double fresh = (double) Duration.between(filled, now).toMillis() / REFILL.toMillis();
        tokens = Math.min(BURST, tokens + fresh);
        filled = now;
        if (tokens < 1) {
            return false;
        }
        tokens--;
        return true;
    }

    private void remember(String key, Sent event) {
        sent.remove(key);
        if (sent.size() >= MOST_REMEMBERED) {
            sent.remove(sent.keySet().iterator().next());
        }
        sent.put(key, event);
    }

    /** Tells how often events happened again, each now and then. */
    void tellCounts() throws ApiException, InterruptedException {
        Instant now = clock.instant();
        List<String> over = new ArrayList<>();
        for (Map.Entry<String, Sent> entry : sent.entrySet()) {
            Sent event = entry.getValue();
            boolean due = event.count > event.toldCount && !now.isBefore(event.told.plus(BETWEEN_COUNTS));
            if (due && !tellCount(event, now)) {
                over.add(entry.getKey());
            } else if (event.count == event.toldCount && !now.isBefore(event.since.plus(WINDOW))) {
                over.add(entry.getKey());
            }
        }
        over.forEach(sent::remove);
    }

    /** @return false: the event is gone */
    private boolean tellCount(Sent event, Instant now) throws ApiException, InterruptedException {
        ObjectNode patch = ApiClient.json().createObjectNode();
        patch.putObject("series").put("count", event.count).put("lastObservedTime", MICRO_TIME.format(event.seen));
        try {
            api.patch(event.path, Patch.MERGE, patch);
            event.toldCount = event.count;
            event.told = now;
            return true;
        } catch (ApiException e) {
            if (e.isPassing()) {
                throw e;
            }
            LOG.debug("an event cannot be counted on: {}", e.getMessage());
            return false;
        }
    }

    private ObjectNode json(VolumeEvent event, Regarding regarding, String note, String name, Instant now) {
        ObjectNode json = ApiClient.json().createObjectNode();
        json.put("apiVersion", "events.k8s.io/v1").put("kind", "Event");
        json.putObject("metadata").put("name", name).put("namespace", regarding.namespace());
        json.put("eventTime", MICRO_TIME.format(now));
        json.put("reportingController", "larder.dev/csi-node").put("reportingInstance", node);
        json.put("action", "Mount").put("reason", event.reason());
        json.put("type", event.isWarning() ? "Warning" : "Normal");
        json.put("note", note.length() <= MAX_NOTE ? note : note.substring(0, MAX_NOTE - 3) + "...");
        json.set("regarding", regarding.json());
        return json;
    }

    private void count(String result) {
        meters.counter("larder.csi.events", "result", result).increment();
    }
}
