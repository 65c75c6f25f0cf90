package dev.larder.cli;

import dev.larder.linux.Mounts;
import dev.larder.protocol.Answers;
import dev.larder.protocol.MountSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "umount",
        description = {
            "Unmounts a volume: everything written is uploaded and durable when it returns.",
            "The embedded PostgreSQL stops when no other mount uses it."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing is mounted on DIR (any more)",
            "1:failed; the reason is on the error stream",
            "2:wrong arguments",
            "4:unmounted, but the database had crashed and may have lost the last changes that were not fsynced"
        },
        footerHeading = "%nExamples:%n",
        footer = {"  larder umount /mnt/larder", "  larder umount --force /mnt/larder"})
final class UmountCommand implements Callable<Integer> {
    private static final Duration LOCK = Duration.ofMinutes(5);

    @ParentCommand
    private Larder larder;

    @Parameters(paramLabel = "DIR", description = "A mount point.")
    private Path directory;

    @Option(
            names = "--force",
            description =
                    "Also when the volume is in use, or its agent is alive but does not answer. What is not uploaded by then"
                            + " stays in the cache for the next mount.")
    private boolean force;

    @Override
    public Integer call() {
        Path mountPoint = MountPointCheck.canonical(directory);
        Agents agents = new Agents(larder);
        MountSpec spec = agents.records().at(mountPoint);
        if (spec == null) {
            Mounts.MountPoint other = Mounts.at(mountPoint);
            if (other != null) {
                throw CommandFailure.failed(
                        "umount " + mountPoint,
                        "is no mount of this state directory but " + other.source() + " (" + other.type() + ")",
                        "larder --state-dir=DIRECTORY umount " + mountPoint + ", or umount " + mountPoint);
            }
            larder.say("nothing is mounted on " + mountPoint);
            return ExitCodes.OK;
        }
        try (StateDirectory.Lock _ = larder.state().lock(LOCK)) {
            Answers.Flush flushed = agents.shutdown(spec, force);
            String uploaded = flushed.files() == 0
                    ? ""
                    : ", " + flushed.files() + " files (" + Units.bytes(flushed.bytes()) + ") were uploaded";
            larder.say("unmounted: volume " + spec.volume() + " from " + mountPoint + uploaded);
            agents.stopUnusedServer(spec.volume());
            if (flushed.lost() != null) {
                larder.say("larder: umount " + mountPoint + ": " + flushed.lost()
                        + "; what was fsynced before is there. Try: larder fsck MANIFEST");
                return ExitCodes.LOST;
            }
        }
        return ExitCodes.OK;
    }
}
