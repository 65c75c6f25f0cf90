package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** What the operator found at the server. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record MetadataStoreStatus(
        List<Condition> conditions,

        @JsonPropertyDescription("The metadata.generation that the conditions speak of")
        Long observedGeneration,

        @JsonPropertyDescription("Of the server") String version) {
    public MetadataStoreStatus {
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
    }
}
