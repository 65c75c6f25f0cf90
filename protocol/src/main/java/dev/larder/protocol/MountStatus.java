package dev.larder.protocol;

import java.nio.file.Path;
import java.time.Instant;
import java.util.UUID;

/**
 * What {@code larder status} shows of a mount. Names are a contract with scripts.
 *
 * @param state "serving", "recovering" (the store or the database is away, requests wait), "stopping", and, made by the
 *     command line: "dead" (no process answers)
 * @param mountPoint null = nothing is mounted
 * @param metadata for people: the database, without a secret
 * @param objectStore for people: scheme and place, without a secret
 * @param quotaBytes 0 = none
 * @param quotaInodes 0 = none
 * @param sessions live sessions of the volume, this one included
 * @param uploadsPending files whose bytes are not all in the store or the database
 * @param passthrough whole cached files are served by the kernel
 * @param detail why it is recovering, or null
 */
public record MountStatus(
        String volume,
        UUID volumeId,
        Path mountPoint,
        String state,
        String detail,
        long agentPid,
        long supervisorPid,
        Instant since,
        boolean readOnly,
        Path cacheDirectory,
        long cacheUsedBytes,
        long cacheCapacityBytes,
        String metadata,
        String objectStore,
        long usedBytes,
        long usedInodes,
        long quotaBytes,
        long quotaInodes,
        int sessions,
        long uploadsPending,
        long uploadsPendingBytes,
        boolean passthrough,
        Path log) {}
