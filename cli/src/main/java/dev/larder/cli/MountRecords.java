package dev.larder.cli;

import dev.larder.linux.Mounts;
import dev.larder.protocol.ControlClient;
import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.MountSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The records of this machine's mounts, below the state directory. */
final class MountRecords {
    private final StateDirectory state;

    MountRecords(StateDirectory state) {
        this.state = state;
    }

    /** In the order of their mount points; those of volumes that are served without a mount come first. */
    List<MountSpec> all() {
        List<MountSpec> specs = new ArrayList<>();
        try (Stream<Path> directories = Files.list(state.mounts())) {
            for (Path directory : directories.toList()) {
                MountSpec spec = read(directory.resolve(MountSpec.FILE));
                if (spec != null) {
                    specs.add(spec);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw CommandFailure.failed("mount records", StateDirectory.reason(e), null);
        }
        specs.sort(Comparator.comparing(
                spec -> spec.mountPoint() == null ? "" : spec.mountPoint().toString()));
        return specs;
    }

    /** Those whose mount point is mounted or whose agent answers. */
    List<MountSpec> live() {
        return all().stream().filter(MountRecords::isLive).toList();
    }

    static boolean isLive(MountSpec spec) {
        return isMounted(spec) || answers(spec);
    }

    static boolean isMounted(MountSpec spec) {
        return spec.mountPoint() != null && Mounts.at(spec.mountPoint()) != null;
    }

    private static boolean answers(MountSpec spec) {
        try (ControlClient _ = ControlClient.connect(spec.controlSocket())) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** The mount that holds a path: of nested ones the innermost; null when none does. */
    MountSpec holding(Path path) {
        return live().stream()
                .filter(spec -> spec.mountPoint() != null && path.startsWith(spec.mountPoint()))
                .max(Comparator.comparingInt(spec -> spec.mountPoint().getNameCount()))
                .orElse(null);
    }

    MountSpec at(Path mountPoint) {
        return read(state.mount(mountPoint).resolve(MountSpec.FILE));
    }

    private static MountSpec read(Path file) {
        try {
            return ControlProtocol.json().readValue(Files.readAllBytes(file), MountSpec.class);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw CommandFailure.failed("mount record " + file, StateDirectory.reason(e), null);
        }
    }

    void write(MountSpec spec) throws IOException {
        StateDirectory.makePrivate(state.mounts());
        StateDirectory.makePrivate(spec.recordDirectory());
        StateDirectory.writePrivate(
                spec.file(),
                ControlProtocol.json().writerWithDefaultPrettyPrinter().writeValueAsBytes(spec));
    }

    /** Forgets what served a volume without a mount, with its logs: there is one for each command. */
    void delete(MountSpec spec) {
        try (Stream<Path> files = Files.list(spec.recordDirectory())) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(spec.recordDirectory());
        } catch (NoSuchFileException e) {
            return;
        } catch (IOException e) {
            throw CommandFailure.failed("mount record " + spec.recordDirectory(), StateDirectory.reason(e), null);
        }
    }

    /** Whose command was killed, and whose agent has ended since. */
    void forgetDeadWithoutMount() {
        for (MountSpec spec : all()) {
            if (spec.mountPoint() == null && processes(spec).isEmpty()) {
                delete(spec);
            }
        }
    }

    /** The living processes of a mount: its supervisor first, then its agent. */
    static List<ProcessHandle> processes(MountSpec spec) {
        try {
            return Stream.of(
                            spec.supervisorProcess().living(),
                            spec.agentProcess().living())
                    .flatMap(Optional::stream)
                    .toList();
        } catch (IOException e) {
            throw CommandFailure.failed("mount record " + spec.recordDirectory(), StateDirectory.reason(e), null);
        }
    }

    /** Forgets a mount that is gone; its logs stay. */
    void forget(MountSpec spec) {
        try {
            Files.deleteIfExists(spec.file());
            Files.deleteIfExists(spec.controlSocket());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
