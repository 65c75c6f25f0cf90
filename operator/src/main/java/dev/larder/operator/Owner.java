package dev.larder.operator;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.UUID;

/**
 * Whose a prefix is: an object {@code <store's prefix><uuid>.owner.json} beside the volume's folder, where a volume's
 * own keys do not reach. It is written before the folder is used, and what lacks it is never touched.
 *
 * @param version of this record, {@link #VERSION}
 * @param cluster uid of the cluster
 * @param namespace of the SharedVolume
 * @param name of the SharedVolume, as it was made
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record Owner(int version, UUID volumeId, String cluster, String namespace, String name) {
    static final int VERSION = 1;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    String json() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts is JSON", e);
        }
    }

    /** @return null when it is not such a record */
    static Owner parse(String json) {
        try {
            Owner owner = JSON.readValue(json, Owner.class);
            return owner.volumeId == null || owner.cluster == null || owner.namespace == null ? null : owner;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    /** Names may change by adoption, the volume and its cluster do not. */
    boolean isSameVolume(Owner other) {
        return volumeId.equals(other.volumeId) && cluster.equals(other.cluster);
    }
}
