package dev.larder.cli;

import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "cache",
        description = "Shows what this machine has cached of a volume, how full the cache is and how often it is hit.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:shown", "1:failed; the reason is on the error stream", "2:wrong arguments"},
        footerHeading = "%nExamples:%n",
        footer = {"  larder cache /mnt/larder", "  larder cache --limit 100 -o json /mnt/larder"})
final class CacheCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Parameters(
            paramLabel = "DIR",
            arity = "0..1",
            description = "A mount point or a mounted volume's name; without one, the only one.")
    private Path directory;

    @Option(
            names = "--limit",
            paramLabel = "COUNT",
            defaultValue = "20",
            description = "How many of the largest files are shown. Default: ${DEFAULT-VALUE}")
    private int limit;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Override
    public Integer call() {
        Answers.Cache result;
        try (VolumeTarget volume = VolumeTarget.mounted(larder, directory)) {
            result = volume.ask(ControlProtocol.Command.CACHE, Map.of("limit", limit), Answers.Cache.class);
        }
        if (format == OutputFormat.table) {
            summary(result).print(larder.environment().out());
            larder.environment().out().println();
        }
        format.print(larder.environment().out(), result, () -> files(result));
        return ExitCodes.OK;
    }

    private static Table summary(Answers.Cache result) {
        return new Table(
                        "DIRECTORY",
                        ">USED",
                        ">FULL",
                        ">NOT UPLOADED",
                        ">FILES",
                        ">HIT RATIO",
                        ">HIT BYTES",
                        ">EVICTED")
                .row(
                        result.directory(),
                        Units.usage(result.usedBytes(), result.capacityBytes()),
                        Units.ratio(result.usedBytes(), result.capacityBytes()),
                        Units.bytes(result.dirtyBytes()),
                        result.files(),
                        Units.ratio(result.hits(), result.hits() + result.misses()),
                        Units.ratio(result.hitBytes(), result.hitBytes() + result.missBytes()),
                        Units.bytes(result.evictedBytes()));
    }

    private static Table files(Answers.Cache result) {
        Table table = new Table(">CACHED", ">SIZE", ">PART", "FILE");
        for (Answers.CachedFile one : result.largest()) {
            table.row(
                    Units.bytes(one.cachedBytes()),
                    Units.bytes(one.sizeBytes()),
                    Units.ratio(one.cachedBytes(), one.sizeBytes()),
                    one.path());
        }
        return table;
    }
}
