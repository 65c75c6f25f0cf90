package dev.larder.cli;

import dev.larder.crds.InvalidManifestException;
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
        name = "gc",
        description = {
            "Deletes the objects that nothing refers to any more.",
            "The agent does so by itself now and then; objects are kept for an hour after their last reference."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed; the reason is on the error stream", "2:wrong arguments"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder gc /mnt/larder",
            "  larder gc --dry-run examples/local.yaml",
            "  larder gc --age 0 /mnt/larder"
        })
final class GcCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Parameters(
            paramLabel = "VOLUME",
            arity = "0..1",
            description =
                    "A mount point, a mounted volume's name, or a manifest; without one, the only volume that is mounted.")
    private Path target;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Option(names = "--dry-run", description = "Change nothing; show what would be done.")
    private boolean dryRun;

    @Option(
            names = "--age",
            paramLabel = "TIME",
            defaultValue = "1h",
            description = "Only what has had no reference for so long, such as 30m, 1h or 0. Default: ${DEFAULT-VALUE}")
    private String age;

    @Override
    public Integer call() throws InvalidManifestException {
        Map<String, ?> arguments = Map.of("dryRun", dryRun, "ageSeconds", Times.seconds("--age", age));
        Answers.Gc result;
        try (VolumeTarget volume = VolumeTarget.any(larder, target)) {
            result = volume.ask(ControlProtocol.Command.GC, arguments, Answers.Gc.class);
        }
        format.print(larder.environment().out(), result, () -> table(result));
        if (dryRun) {
            larder.say("a dry run: nothing was changed, the figures say what would be done now");
        }
        return ExitCodes.OK;
    }

    private static Table table(Answers.Gc result) {
        return new Table(
                        ">TRASH GIVEN UP",
                        ">REMOVED INODES",
                        ">RETIRED SEGMENTS",
                        ">DELETED OBJECTS",
                        ">UNKNOWN OBJECTS",
                        ">FREED")
                .row(
                        result.purgedTrash(),
                        result.purgedInodes(),
                        result.retired(),
                        result.deletedObjects(),
                        result.unknownObjects(),
                        Units.bytes(result.deletedBytes()));
    }
}
