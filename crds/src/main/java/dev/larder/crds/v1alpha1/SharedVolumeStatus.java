package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/**
 * What the operator found and made. It is written by the operator alone.
 *
 * @param volumeId assigned before anything outside is made; never changes
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SharedVolumeStatus(
        @JsonPropertyDescription("One word for people; the conditions are the truth")
        Phase phase,

        List<Condition> conditions,

        @JsonPropertyDescription("The metadata.generation that the conditions speak of")
        Long observedGeneration,

        @JsonPropertyDescription("The volume's identity: its database, its prefix and its Secret are named after it")
        String volumeId,

        @JsonPropertyDescription("The MetadataStore that was chosen")
        String metadataStore,

        @JsonPropertyDescription("The ObjectStore that was chosen")
        String objectStore,

        @JsonPropertyDescription(
                "The PersistentVolume, which is also the name of the Secret in the release's namespace")
        String persistentVolume,

        @JsonPropertyDescription("The PersistentVolumeClaim in the volume's namespace")
        String claim,

        @JsonPropertyDescription("The quota in force") String capacity,

        @JsonPropertyDescription("Bytes in use, refreshed now and then")
        String used,

        @JsonPropertyDescription("Files and directories in use, refreshed now and then")
        Long usedInodes,

        @JsonPropertyDescription("How many nodes have it mounted, refreshed now and then")
        Integer nodes) {

    public SharedVolumeStatus {
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
    }

    /** Before anybody wrote one. */
    public static SharedVolumeStatus none() {
        return new SharedVolumeStatus(null, List.of(), null, null, null, null, null, null, null, null, null, null);
    }

    public enum Phase {
        /** Something that the volume needs is missing or wrong; see the conditions. */
        Pending,
        /** It can be mounted. */
        Ready,
        /** It can be mounted, but something is wrong; see the conditions. */
        Degraded,
        /** It goes. */
        Deleting
    }
}
