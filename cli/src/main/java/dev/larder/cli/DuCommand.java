package dev.larder.cli;

import dev.larder.crds.InvalidManifestException;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "du",
        description = {
            "Sums up directories from the metadata: exact, and without walking them.",
            "For a volume that is not mounted: a manifest, and --path within the volume."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:shown", "1:failed; the reason is on the error stream", "2:wrong arguments"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder du /mnt/larder",
            "  larder du /mnt/larder/a /mnt/larder/b",
            "  larder du --path /a examples/local.yaml"
        })
final class DuCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "Paths in one mounted volume, or a manifest; without one, the only volume that is mounted.")
    private List<Path> paths = List.of();

    @Option(names = "--path", paramLabel = "PATH", description = "Within the volume of a manifest. Default: /")
    private List<String> inside = List.of("/");

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Override
    public Integer call() throws InvalidManifestException {
        Path first = paths.isEmpty() ? null : paths.getFirst();
        Answers.Du result;
        try (VolumeTarget volume = VolumeTarget.any(larder, first)) {
            List<String> within = first == null || isManifest(volume, first)
                    ? inside
                    : paths.stream().map(volume::within).toList();
            result = volume.ask(ControlProtocol.Command.DU, Map.of("paths", within), Answers.Du.class);
        }
        format.print(larder.environment().out(), result.paths(), () -> table(result));
        return ExitCodes.OK;
    }

    /** A regular file outside the volume. */
    private static boolean isManifest(VolumeTarget volume, Path path) {
        Path mountPoint = volume.spec().mountPoint();
        return Files.isRegularFile(path)
                && (mountPoint == null || !MountPointCheck.canonical(path).startsWith(mountPoint));
    }

    private static Table table(Answers.Du result) {
        Table table = new Table(">FILES", ">DIRECTORIES", ">SIZE", ">ALLOCATED", "PATH");
        for (Answers.Usage one : result.paths()) {
            table.row(
                    one.files(),
                    one.directories(),
                    Units.bytes(one.sizeBytes()),
                    Units.bytes(one.allocatedBytes()),
                    one.path());
        }
        return table;
    }
}
