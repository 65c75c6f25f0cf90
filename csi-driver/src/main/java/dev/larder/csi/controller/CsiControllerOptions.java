package dev.larder.csi.controller;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The flags of csi-controller: read and checked once at the start. None is secret. */
@Command(
        name = "csi-controller",
        description = "Serves CSI's Controller service to the provisioner and the resizer beside it.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
public final class CsiControllerOptions {
    @Option(
            names = "--namespace",
            required = true,
            defaultValue = "${env:LARDER_NAMESPACE}",
            description =
                    "Namespace of the release: SharedVolumes of claims that the provisioner does not name are made"
                            + " there. Environment: LARDER_NAMESPACE.")
    String namespace;

    @Option(
            names = "--csi-address",
            defaultValue = "${env:LARDER_CSI_ADDRESS:-/csi/csi.sock}",
            description = "Unix socket that the sidecars share with this container. Environment: LARDER_CSI_ADDRESS."
                    + " Default: /csi/csi.sock.")
    Path csiAddress;

    @Option(
            names = "--health-port",
            defaultValue = "${env:LARDER_HEALTH_PORT:-9809}",
            description = "Port of /healthz, /readyz and /metrics. Environment: LARDER_HEALTH_PORT. Default: 9809.")
    int healthPort;

    /** @throws IllegalArgumentException naming the flag */
    void check() {
        require(namespace.matches("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"), "--namespace is no name of a namespace");
        require(csiAddress.isAbsolute(), "--csi-address must be an absolute path");
        require(healthPort >= 0 && healthPort <= 65535, "--health-port must be between 0 and 65535");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    @Override
    public String toString() {
        return "namespace=" + namespace + " csiAddress=" + csiAddress + " healthPort=" + healthPort;
    }
}
