package dev.larder.cli;

import dev.larder.agent.api.ControlProtocol.Command;
import dev.larder.agent.api.MountSpec;
import dev.larder.crds.InvalidManifestException;
import dev.larder.crds.Manifest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The volume that a command is about: of a mount point, of a path below one, or of a manifest. A volume that is not
 * mounted is served without a mount as long as the command runs.
 */
final class VolumeTarget implements AutoCloseable {
    private static final Duration LOCK = Duration.ofMinutes(5);

    private final Agents agents;
    private final MountSpec spec;
    private final StateDirectory.Lock own;

    private VolumeTarget(Agents agents, MountSpec spec, StateDirectory.Lock own) {
        this.agents = agents;
        this.spec = spec;
        this.own = own;
    }

    /** A volume that is mounted; without a path the only one that is. */
    static VolumeTarget mounted(Larder larder, Path path) {
        Agents agents = new Agents(larder);
        if (path == null) {
            return new VolumeTarget(agents, only(agents), null);
        }
        MountSpec spec = agents.records().holding(MountPointCheck.canonical(path));
        if (spec == null) {
            throw CommandFailure.failed(path.toString(), "is not in a mounted volume", "larder status");
        }
        return new VolumeTarget(agents, spec, null);
    }

    /** A mount point, a path below one, or a manifest; null = the only mounted volume. */
    static VolumeTarget any(Larder larder, Path target) throws InvalidManifestException {
        if (target == null || !Files.isRegularFile(target)) {
            return mounted(larder, target);
        }
        Agents agents = new Agents(larder);
        MountSpec holding = agents.records().holding(MountPointCheck.canonical(target));
        if (holding != null) {
            return new VolumeTarget(agents, holding, null);
        }
        Manifest manifest = Manifest.read(target);
        String name = manifest.volume().metadata().name();
        for (MountSpec live : agents.records().live()) {
            if (live.mountPoint() != null && live.volume().equals(name)) {
                return new VolumeTarget(agents, live, null);
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
        StateDirectory.Lock lock = larder.state().lock(LOCK);
        try {
            MountSpec spec = new Provisioner(larder.state(), line -> {}).provision(manifest, null, false);
            agents.start(spec);
            return new VolumeTarget(agents, spec, lock);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static MountSpec only(Agents agents) {
        List<MountSpec> live = agents.records().live().stream()
                .filter(spec -> spec.mountPoint() != null)
                .toList();
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

    /** A path of this machine as a path within the volume; an unmounted volume's paths are within it already. */
    String within(Path path) {
        if (own != null) {
            return path.toString();
        }
        Path real = MountPointCheck.canonical(path);
        if (!real.startsWith(spec.mountPoint())) {
            throw CommandFailure.usage(path.toString(), "is not below " + spec.mountPoint(), null);
        }
        return "/" + spec.mountPoint().relativize(real);
    }

    @Override
    public void close() {
        if (own == null) {
            return;
        }
        try (own) {
            agents.shutdown(spec);
            agents.stopUnusedServer(spec);
        }
    }
}
