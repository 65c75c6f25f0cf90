package dev.larder.volume.cache;

import java.util.UUID;

/**
 * The content that a cache file's clean ranges were compared with. Within one incarnation of the database a version names
 * one content, once it is durable.
 */
public record ContentVersion(long version, UUID incarnation) {
    static final ContentVersion NONE = new ContentVersion(-1, new UUID(0, 0));
}
