package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a {@link WarmupBoard} as the API server has it: a list by pages, then a watch from the list's version on, again and
 * again from the last version that was seen; a version that is too old means another list. One thread.
 */
final class WarmupWatch {
    private static final Logger LOG = LoggerFactory.getLogger(WarmupWatch.class);
    private static final int PAGE = 50;

    private final ApiClient api;
    private final WarmupBoard board;
    private final Duration time;

    /** Null = list first. */
    private String version;

    /** @param time how long one watch lasts */
    WarmupWatch(ApiClient api, WarmupBoard board, Duration time) {
        this.api = api;
        this.board = board;
        this.time = time;
    }

    /** One watch, with a list before it if need be. */
    void watch() throws ApiException, InterruptedException {
        try {
            if (version == null) {
                list();
            }
            String query = "?watch=true&allowWatchBookmarks=true&resourceVersion=" + version;
            api.watch(ApiPaths.WARMUPS + query, time, this::take);
        } catch (ApiException e) {
            if (!e.isGone()) {
                throw e;
            }
            version = null;
        }
    }

    private void list() throws ApiException, InterruptedException {
        Set<String> uids = new HashSet<>();
        String next = "";
        JsonNode page;
        do {
            page = api.get(ApiPaths.WARMUPS + "?limit=" + PAGE + next);
            for (JsonNode object : page.path("items")) {
                uids.add(uid(object));
                board.put(object);
            }
            String token = page.path("metadata").path("continue").asText();
            next = token.isEmpty() ? "" : "&continue=" + URLEncoder.encode(token, StandardCharsets.UTF_8);
        } while (!next.isEmpty());
        board.keep(uids);
        version = page.path("metadata").path("resourceVersion").asText();
        LOG.debug("listed warmups={} version={}", uids.size(), version);
    }

    private void take(JsonNode event) {
        JsonNode object = event.path("object");
        switch (event.path("type").asText()) {
            case "ADDED", "MODIFIED" -> {
                board.put(object);
                seen(object);
            }
            case "DELETED" -> {
                board.remove(uid(object));
                seen(object);
            }
            case "BOOKMARK" -> seen(object);
            // Its version is too old, or the server says why it cannot go on: the list has it all.
            default -> version = null;
        }
    }

    /** After an error nothing is trusted but a list. */
    private void seen(JsonNode object) {
        if (version != null) {
            version = object.path("metadata").path("resourceVersion").asText(version);
        }
    }

    private static String uid(JsonNode object) {
        return object.path("metadata").path("uid").asText();
    }
}
