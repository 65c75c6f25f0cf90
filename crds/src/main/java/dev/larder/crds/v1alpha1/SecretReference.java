package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** A Secret in the namespace of the release; no other can be named. */
public record SecretReference(
        @JsonPropertyDescription("Name of a Secret in the namespace that Larder is installed in")
        @Required
        @Pattern(Patterns.SECRET_NAME)
        @Size(max = 253)
        String name) {}
