package dev.larder.cli;

import dev.larder.crds.InvalidManifestException;
import dev.larder.crds.Manifest;
import dev.larder.linux.Mounts;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.MountStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "mount",
        description = {
            "Mounts the volume of a manifest on an empty directory.",
            "Starts what is not running (the embedded PostgreSQL), makes what does not exist yet (database, directories), and returns when the mount answers. A volume that is mounted there already is left as it is, once its database runs."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:DIR is a mount point that answers",
            "1:failed; the reason is on the error stream",
            "2:wrong arguments or a refused manifest"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder mount examples/local.yaml /mnt/larder",
            "  larder mount --read-only my-volume.yaml /mnt/data",
            "  larder mount --foreground my-volume.yaml /mnt/data    unmounts on Ctrl-C"
        })
final class MountCommand implements Callable<Integer> {
    private static final Duration LOCK = Duration.ofMinutes(5);

    @ParentCommand
    private Larder larder;

    @Parameters(index = "0", paramLabel = "MANIFEST", description = "A YAML file with a SharedVolume and its stores.")
    private Path manifestFile;

    @Parameters(index = "1", paramLabel = "DIR", description = "An empty directory.")
    private Path directory;

    @Option(names = "--read-only", description = "Refuse every change through this mount.")
    private boolean readOnly;

    @Option(names = "--foreground", description = "Stay until the volume is unmounted; unmount on Ctrl-C.")
    private boolean foreground;

    @Option(names = "--allow-non-empty", description = "Mount although the directory is not empty.")
    private boolean allowNonEmpty;

    @Override
    public Integer call() throws InvalidManifestException {
        Manifest manifest = Manifest.read(manifestFile);
        Path mountPoint = MountPointCheck.canonical(directory);
        Agents agents = new Agents(larder);
        MountSpec spec;
        try (StateDirectory.Lock _ = larder.state().lock(LOCK)) {
            spec = mounted(agents, manifest, mountPoint);
            if (spec != null) {
                larder.say("volume " + spec.volume() + " is already mounted on " + mountPoint);
                return ExitCodes.OK;
            }
            MountPointCheck.check(mountPoint, larder.state(), allowNonEmpty);
            MountStatus status;
            try {
                spec = new Provisioner(larder.state(), larder::say).provision(manifest, mountPoint, readOnly);
                StoreCheck.require(manifest, spec);
                status = agents.start(spec);
            } catch (RuntimeException e) {
                agents.stopUnusedServer(manifest.volume().metadata().name());
                throw e;
            }
            larder.say("mounted: volume " + spec.volume() + " on " + mountPoint + (spec.readOnly() ? ", read-only" : "")
                    + ", agent " + status.agentPid() + ", logs in " + spec.recordDirectory());
        }
        TrainCommand.startWhenMissing(larder.environment());
        if (foreground) {
            stay(agents, spec);
        }
        return ExitCodes.OK;
    }

    /** The same volume's mount that is there and answers, or null after what is dead has been taken away. */
    private MountSpec mounted(Agents agents, Manifest manifest, Path mountPoint) {
        Mounts.MountPoint mount = Mounts.at(mountPoint);
        MountSpec known = agents.records().at(mountPoint);
        if (mount == null) {
            return null;
        }
        String what = "mount point " + mountPoint;
        if (known == null) {
            throw CommandFailure.failed(
                    what,
                    "is busy: " + mount.source() + " (" + mount.type() + ") is mounted there",
                    "umount " + mountPoint);
        }
        boolean same = known.volume().equals(manifest.volume().metadata().name());
        if (same && !MountRecords.processes(known).isEmpty()) {
            startDatabase(manifest);
        }
        if (!agents.answersWhileAlive(known)) {
            agents.takeAway(known, false);
            return null;
        }
        if (!same) {
            throw CommandFailure.failed(
                    what, "is busy: volume " + known.volume() + " is mounted there", "larder umount " + mountPoint);
        }
        return known;
    }

    /** Agents wait for a database that has ended, and nothing but this starts it again. */
    private void startDatabase(Manifest manifest) {
        MetadataServer server = MetadataServer.of(manifest, larder.state());
        if (server.embedded() != null && !server.isRunning()) {
            server.login();
            larder.say("metadata: " + server.describe() + ", started");
        }
    }

    private void stay(Agents agents, MountSpec spec) {
        Thread unmount = new Thread(() -> {
            if (MountRecords.isMounted(spec)) {
                agents.shutdown(spec, false);
                agents.stopUnusedServer(spec.volume());
            }
        });
        Runtime.getRuntime().addShutdownHook(unmount);
        while (MountRecords.isMounted(spec)) {
            Waiting.pause();
        }
    }
}
