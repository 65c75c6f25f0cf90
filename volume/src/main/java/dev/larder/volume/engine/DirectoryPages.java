package dev.larder.volume.engine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.larder.volume.FileSystem.DirectorySink;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import java.time.Duration;
import java.util.List;

/**
 * Lists directories in pages of one statement each. What a full sink did not take is kept for the call that goes on
 * there, for a moment; a list from the start is always read.
 */
final class DirectoryPages {
    private static final int PAGE = 1_000;
    private static final int FIRST_PAGE = 256;
    private static final long MAX_RESTS = 256;
    private static final Duration REST_LIFE = Duration.ofSeconds(2);

    private final Metadata metadata;
    private final Contents contents;
    private final Cache<Place, Rest> rests = Caffeine.newBuilder()
            .maximumSize(MAX_RESTS)
            .expireAfterWrite(REST_LIFE)
            .executor(Runnable::run)
            .build();

    private record Place(long inode, long afterCookie, boolean withAttributes) {}

    /** @param last nothing follows it in the directory */
    private record Rest(List<DirectoryEntry> entries, boolean last) {}

    DirectoryPages(Metadata metadata, Contents contents) {
        this.metadata = metadata;
        this.contents = contents;
    }

    void list(long inode, long afterCookie, boolean withAttributes, DirectorySink sink) {
        long after = afterCookie;
        while (true) {
            Rest page = page(new Place(inode, after, withAttributes));
            int taken = give(page.entries, withAttributes, sink);
            if (taken < page.entries.size()) {
                keep(inode, after, withAttributes, page, taken);
                return;
            }
            if (page.last) {
                return;
            }
            after = page.entries.getLast().cookie();
        }
    }

    private Rest page(Place place) {
        Rest rest = place.afterCookie == 0 ? null : rests.asMap().remove(place);
        if (rest != null) {
            return rest;
        }
        int limit = place.afterCookie == 0 ? FIRST_PAGE : PAGE;
        List<DirectoryEntry> entries = metadata.list(place.inode, place.afterCookie, limit, place.withAttributes);
        return new Rest(entries, entries.size() < limit);
    }

    private int give(List<DirectoryEntry> entries, boolean withAttributes, DirectorySink sink) {
        int taken = 0;
        for (DirectoryEntry entry : entries) {
            boolean took = sink.entry(
                    entry.name(),
                    entry.inode(),
                    entry.direntType(),
                    entry.cookie(),
                    withAttributes ? contents.overlay(entry.attributes()) : null);
            if (!took) {
                break;
            }
            taken++;
        }
        return taken;
    }

    private void keep(long inode, long after, boolean withAttributes, Rest page, int taken) {
        long cookie = taken == 0 ? after : page.entries.get(taken - 1).cookie();
        boolean collides = page.entries.get(taken).cookie() == cookie;
        if (cookie != 0 && !collides) {
            rests.put(
                    new Place(inode, cookie, withAttributes),
                    new Rest(page.entries.subList(taken, page.entries.size()), page.last));
        }
    }
}
