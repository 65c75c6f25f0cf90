package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.Map;

/**
 * How far the nodes are.
 *
 * @param nodes by the node's name: each node merges its own entry and touches no other
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CacheWarmupStatus(
        @JsonPropertyDescription("By the node's name") Map<String, Progress> nodes) {

    public enum Phase {
        Running,
        Done,
        Failed
    }

    /** One node's. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Progress(
            Phase phase,

            @JsonPropertyDescription("Bytes that are on the node")
            Long doneBytes,

            @JsonPropertyDescription("Bytes that are to be") Long totalBytes,

            @JsonPropertyDescription("What went wrong and what to do")
            String message) {}
}
