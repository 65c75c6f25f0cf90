package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import java.util.Map;

/** What is fetched, and where to. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CacheWarmupSpec(
        @JsonPropertyDescription("Name of a SharedVolume in the same namespace")
        @Required
        @Pattern(Patterns.DNS_LABEL)
        @Size(max = 63)
        String volume,

        @JsonPropertyDescription("Files and directories below the volume's root")
        @Default("[\"/\"]")
        @Size(min = 1, max = 256)
        List<@Pattern("^/") @Size(max = 4096) String> paths,

        @JsonPropertyDescription("Labels of the nodes; default: every node that has the volume mounted")
        Map<String, String> nodeSelector) {}
