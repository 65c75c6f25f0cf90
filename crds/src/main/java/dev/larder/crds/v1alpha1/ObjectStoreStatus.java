package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** What the operator found at the store. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ObjectStoreStatus(
        List<Condition> conditions,

        @JsonPropertyDescription("The metadata.generation that the conditions speak of")
        Long observedGeneration) {
    public ObjectStoreStatus {
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
    }
}
