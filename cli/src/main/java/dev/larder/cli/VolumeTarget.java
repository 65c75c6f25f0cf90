package dev.larder.cli;

import dev.larder.crds.InvalidManifestException;
import dev.larder.crds.Manifest;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.MountSpec;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The volume that a command is about: of a mount point, of a path below one, by its name, or of a manifest. A volume that
 * is not mounted is served without a mount as long as the command runs.
 */
final class VolumeTarget implements AutoCloseable {
    private static final Duration LOCK = Duration.ofMinutes(5);

    private final Agents agents;
    private final MountSpec spec;
    private final Larder larder;
    private final boolean own;

    private VolumeTarget(Larder larder, Agents agents, MountSpec spec, boolean own) {
        this.larder = larder;
        this.agents = agents;
        this.spec = spec;
        this.own = own;
    }

    /** A volume that is mounted, by a path in it or by its name; without a path the only one that is. */
    static VolumeTarget mounted(Larder larder, Path path) {
        Agents agents = new Agents(larder);
        if (path == null) {
            return new VolumeTarget(larder, agents, only(mounts(agents)), false);
        }
        MountSpec spec = agents.records().holding(MountPointCheck.canonical(path));
        return new VolumeTarget(larder, agents, spec != null ? spec : named(agents, path.toString()), false);
    }

    private static MountSpec named(Agents agents, String name) {
        List<MountSpec> named = mounts(agents).stream()
                .filter(spec -> spec.volume().equals(name))
                .toList();
        if (named.isEmpty()) {
            throw CommandFailure.failed(name, "is not in a mounted volume, nor the name of one", "larder status");
        }
        return only(named);
    }

    /** The volume that the first of some paths is in, or the only mounted volume. */
    static VolumeTarget ofPaths(Larder larder, List<Path> paths) {
        Agents agents = new Agents(larder);
        MountSpec holding = agents.records().holding(MountPointCheck.canonical(paths.getFirst()));
        return holding != null ? new VolumeTarget(larder, agents, holding, false) : mounted(larder, null);
    }

    /** A mount point, a path below one, or a manifest; null = the only mounted volume. */
    static VolumeTarget any(Larder larder, Path target) throws InvalidManifestException {
        if (target == null || !Files.isRegularFile(target)) {
            return mounted(larder, target);
        }
        Agents agents = new Agents(larder);
        MountSpec holding = agents.records().holding(MountPointCheck.canonical(target));
        if (holding != null) {
            return new VolumeTarget(larder, agents, holding, false);
        }
        Manifest manifest = Manifest.read(target);
        String name = manifest.volume().metadata().name();
        for (MountSpec live : mounts(agents)) {
            if (live.volume().equals(name)) {
                return new VolumeTarget(larder, agents, live, false);
            }
        }
        return unmounted(larder, agents, manifest);
    }

    private static VolumeTarget unmounted(Larder larder, Agents agents, Manifest manifest) {
        String name = manifest.volume().metadata().name();
        if (VolumeRecord.read(larder.state().volume(name)) == null) {
            throw CommandFailure.failed(
                    "volume " + name,
                    "was never mounted with the state directory "
                            + larder.state().root(),
                    "larder mount MANIFEST DIR, or another --state-dir");
        }
        try (StateDirectory.Lock _ = larder.state().lock(LOCK)) {
            agents.records().forgetDeadWithoutMount();
            try {
                MountSpec spec = new Provisioner(larder.state(), line -> {}).provision(manifest, null, false);
                StoreCheck.require(manifest, spec);
                agents.start(spec);
                return new VolumeTarget(larder, agents, spec, true);
            } catch (RuntimeException e) {
                agents.stopUnusedServer(name);
                throw e;
            }
        }
    }

    private static List<MountSpec> mounts(Agents agents) {
        return agents.records().live().stream()
                .filter(spec -> spec.mountPoint() != null)
                .toList();
    }

    private static MountSpec only(List<MountSpec> live) {
        if (live.size() == 1) {
            return live.getFirst();
        }
        String cause = live.isEmpty()
                ? "nothing is mounted"
                : "several are mounted: "
                        + live.stream().map(spec -> "" + spec.mountPoint()).collect(Collectors.joining(", "));
        throw CommandFailure.usage("which volume", cause, "the command with a mount point or a manifest");
    }

    MountSpec spec() {
        return spec;
    }

    <T> T ask(Command command, Map<String, ?> arguments, Class<T> result) {
        return agents.ask(spec, command, arguments, result);
    }

    /**
     * A path of this machine, or else one of the volume itself with or without the slash before it, as a path within the
     * volume. An unmounted volume's paths are within it already.
     */
    String within(Path path) {
        if (own) {
            return path.toString();
        }
        Path real = MountPointCheck.canonical(path);
        if (real.startsWith(spec.mountPoint())) {
            return "/" + spec.mountPoint().relativize(real);
        }
        Path inside = spec.mountPoint().resolve(path.isAbsolute() ? Path.of("/").relativize(path) : path);
        if (Files.exists(inside, LinkOption.NOFOLLOW_LINKS)) {
            return "/" + spec.mountPoint().relativize(inside.normalize());
        }
        throw CommandFailure.failed(
                path.toString(), "does not exist below " + spec.mountPoint(), "ls " + spec.mountPoint());
    }

    @Override
    public void close() {
        if (!own) {
            return;
        }
        try (StateDirectory.Lock _ = larder.state().lock(LOCK)) {
            agents.shutdown(spec, false);
            agents.records().delete(spec);
            agents.stopUnusedServer(spec.volume());
        }
    }
}
