package dev.larder.csi.cluster;

import java.net.URI;
import java.nio.file.Path;

/**
 * How the API server is reached.
 *
 * @param server https://host:port
 * @param tokenFile read again for each request: kubelet replaces it before it expires
 * @param caFile PEM, the only certificates that are trusted
 */
public record ApiAccess(URI server, Path tokenFile, Path caFile) {}
