package dev.larder.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Path;

/**
 * Where a secret is; exactly one is given.
 *
 * @param secretRef name of a Secret in the same file
 * @param secretFile absolute path of a file of mode 0600 with lines {@code key=value}
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SecretSource(String secretRef, Path secretFile) {}
