package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import java.util.Map;

/**
 * What a node holds of its volumes. Quantities are plain numbers of bytes.
 *
 * @param volumes by the volume's uuid, so that a merge patch replaces one without touching the others
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NodeCacheStatus(
        @JsonPropertyDescription("Ready: an agent serves this node's volumes")
        List<Condition> conditions,

        @JsonPropertyDescription("When the node last wrote this, RFC 3339")
        String observed,

        @JsonPropertyDescription("Bytes that the cache may hold")
        String capacity,

        @JsonPropertyDescription("Bytes that the cache holds")
        String used,

        @JsonPropertyDescription("By the volume's uuid") Map<String, CachedVolume> volumes) {
    public NodeCacheStatus {
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
    }

    /** One volume's share. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record CachedVolume(
            @JsonPropertyDescription("namespace/name of the SharedVolume")
            String volume,

            @JsonPropertyDescription("Bytes of it on this node")
            Long cachedBytes,

            @JsonPropertyDescription("Bytes read from the cache since the agent began")
            Long hitBytes,

            @JsonPropertyDescription("Bytes fetched from the store since the agent began")
            Long missBytes,

            @JsonPropertyDescription("Bytes written here that are not in the store yet")
            Long dirtyBytes) {}
}
