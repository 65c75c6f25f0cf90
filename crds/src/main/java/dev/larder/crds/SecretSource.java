package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Path;

/** Where a secret is; exactly one is given. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SecretSource(
        @Described("`name` of a Secret in the same file, which then must have mode 0600.")
        String secretRef,

        @Described("Instead of secretRef: a file of mode 0600 with lines key=value.")
        Path secretFile) {}
