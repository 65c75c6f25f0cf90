package dev.larder.cli;

import dev.larder.protocol.MountSpec;
import dev.larder.protocol.MountStatus;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "status",
        description = "Shows the mounted volumes: usage, cache, uploads under way, sessions, processes.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:shown, also when nothing is mounted",
            "1:DIR is not mounted, or a mount does not answer",
            "2:wrong arguments"
        },
        footerHeading = "%nExamples:%n",
        footer = {"  larder status", "  larder status /mnt/larder", "  larder status -o json | jq -r .[].mountPoint"})
final class StatusCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Parameters(
            paramLabel = "DIR",
            arity = "0..1",
            description = "Only the volume of this mount point, or of this name.")
    private Path directory;

    @Override
    public Integer call() {
        Agents agents = new Agents(larder);
        List<MountStatus> all = new ArrayList<>();
        for (MountSpec spec : wanted(agents)) {
            MountStatus status = agents.status(spec);
            all.add(status == null ? dead(spec) : status);
        }
        format.print(larder.environment().out(), all, () -> table(all, Instant.now()));
        return all.stream().anyMatch(status -> status.state().equals("dead")) ? ExitCodes.FAILED : ExitCodes.OK;
    }

    private List<MountSpec> wanted(Agents agents) {
        if (directory != null) {
            return List.of(VolumeTarget.mounted(larder, directory).spec());
        }
        return agents.records().live().stream()
                .filter(spec -> spec.mountPoint() != null)
                .toList();
    }

    /** Mounted, but nobody answers. */
    private static MountStatus dead(MountSpec spec) {
        return new MountStatus(
                spec.volume(),
                spec.volumeId(),
                spec.mountPoint(),
                "dead",
                "no agent answers: see " + spec.supervisorLog(),
                0,
                0,
                null,
                spec.readOnly(),
                spec.cache().directory(),
                0,
                spec.cache().capacityBytes(),
                spec.database().jdbcUrl(),
                "",
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                false,
                spec.agentLog());
    }

    static Table table(List<MountStatus> all, Instant now) {
        Table table = new Table(
                "VOLUME",
                "MOUNT POINT",
                "STATE",
                ">USED",
                ">INODES",
                ">CACHE",
                ">UPLOADING",
                ">SESSIONS",
                ">AGENT",
                ">UP");
        for (MountStatus one : all) {
            table.row(
                    one.volume(),
                    one.mountPoint(),
                    one.readOnly() ? one.state() + ", read-only" : one.state(),
                    Units.usage(one.usedBytes(), one.quotaBytes()),
                    one.quotaInodes() == 0 ? one.usedInodes() : one.usedInodes() + " / " + one.quotaInodes(),
                    Units.usage(one.cacheUsedBytes(), one.cacheCapacityBytes()),
                    one.uploadsPending() == 0 ? null : Units.bytes(one.uploadsPendingBytes()),
                    one.sessions(),
                    one.agentPid() == 0 ? null : one.agentPid(),
                    Units.age(one.since(), now));
        }
        return table;
    }
}
