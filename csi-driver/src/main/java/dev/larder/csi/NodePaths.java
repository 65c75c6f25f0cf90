package dev.larder.csi;

import java.nio.file.Path;
import java.util.UUID;

/**
 * Where things are below kubelet's directory; paths that kubelet sends are checked here.
 *
 * @param kubeletDirectory absolute, the same in this process and on the host
 */
public record NodePaths(Path kubeletDirectory) {
    private static final int MAX_PATH_BYTES = 4095;

    private static final String SUBPATHS = "volume-subpaths";

    /** Of this driver. */
    public Path plugin() {
        return plugins().resolve(Driver.NAME);
    }

    private Path plugins() {
        return kubeletDirectory.resolve("plugins");
    }

    public Path csiSocket() {
        return plugin().resolve("csi.sock");
    }

    public Path registrationSocket() {
        return kubeletDirectory.resolve("plugins_registry").resolve(Driver.NAME + "-reg.sock");
    }

    public Path volumeMounts() {
        return plugin().resolve("mounts");
    }

    /** The one FUSE mount of a volume on this node. */
    public Path volumeMount(UUID volume) {
        return volumeMounts().resolve(volume.toString());
    }

    /**
     * A path that kubelet sent, as it is.
     *
     * @param field of the request, for the message
     * @throws CsiException INVALID_ARGUMENT unless it is absolute, below kubelet's directory, outside of the driver's own,
     *     and without "." and ".."
     */
    Path check(String field, String text) {
        if (text.isEmpty()) {
            throw CsiException.invalid(field + " is missing");
        }
        if (text.length() > MAX_PATH_BYTES || text.chars().anyMatch(Character::isISOControl)) {
            throw CsiException.invalid(field + " is no path");
        }
        Path path = Path.of(text);
        boolean plain = path.isAbsolute() && path.equals(path.normalize());
        if (!plain || !isBelow(kubeletDirectory, path) || path.startsWith(plugin())) {
            throw CsiException.invalid(field + " '" + text.replaceAll("\\p{Cntrl}", "?")
                            + "' is not a plain path below kubelet's directory " + kubeletDirectory)
                    .next("helm get values larder -A (kubeletDir must be what kubelet's --root-dir says)");
        }
        return path;
    }

    /** Pods see the volume there; kubelet's own binds of subPath are not meant. */
    boolean isTarget(Path path) {
        if (!isBelow(kubeletDirectory, path) || path.startsWith(plugins())) {
            return false;
        }
        for (Path name : kubeletDirectory.relativize(path)) {
            if (name.toString().equals(SUBPATHS)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBelow(Path directory, Path path) {
        return path.startsWith(directory) && !path.equals(directory);
    }
}
