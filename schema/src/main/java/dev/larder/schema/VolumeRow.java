package dev.larder.schema;

import java.time.Duration;
import java.util.UUID;

/**
 * What a volume's database is told when it is made.
 *
 * @param quotaBytes 0 = none
 * @param quotaInodes 0 = none
 * @param trash how long removed files are kept; zero = not at all
 * @param rootUid owner of the root directory
 * @param rootMode its permission bits
 */
public record VolumeRow(
        UUID id,
        String name,
        long quotaBytes,
        long quotaInodes,
        Duration trash,
        long rootUid,
        long rootGid,
        int rootMode) {
    public VolumeRow {
        if (quotaBytes < 0 || quotaInodes < 0 || trash.isNegative()) {
            throw new IllegalArgumentException(
                    "the quotas and the trash time of volume " + name + " must not be negative");
        }
    }
}
