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
        name = "fsck",
        description = {
            "Checks the metadata against itself and against the objects.",
            "Works on a mounted volume and, with a manifest, on one that is not."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:clean, or everything was repaired",
            "1:the check could not be made",
            "2:wrong arguments",
            "3:problems were found and are still there"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder fsck /mnt/larder",
            "  larder fsck --repair examples/local.yaml",
            "  larder fsck --content -o json /mnt/larder"
        })
final class FsckCommand implements Callable<Integer> {
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

    @Option(names = "--repair", description = "Mend what can be mended without guessing.")
    private boolean repair;

    @Option(names = "--content", description = "Also read every object and compare its checksums.")
    private boolean content;

    @Override
    public Integer call() throws InvalidManifestException {
        Answers.Fsck result;
        try (VolumeTarget volume = VolumeTarget.any(larder, target)) {
            result = volume.ask(
                    ControlProtocol.Command.FSCK, Map.of("repair", repair, "content", content), Answers.Fsck.class);
        }
        if (format != OutputFormat.table || result.count() > 0) {
            format.print(larder.environment().out(), result, () -> table(result));
        }
        larder.say(result.inodes() + " inodes, " + result.segments() + " segments, " + result.objects() + " objects: "
                + (result.count() == 0 ? "clean" : result.count() + " problems, " + result.repaired() + " repaired"));
        return result.count() > result.repaired() ? ExitCodes.FINDINGS : ExitCodes.OK;
    }

    private static Table table(Answers.Fsck result) {
        Table table = new Table("PROBLEM", ">INODE", "NAME", "DETAIL", "REPAIRED");
        for (Answers.Finding one : result.findings()) {
            table.row(
                    one.what(),
                    one.inode() == 0 ? null : one.inode(),
                    one.name(),
                    one.detail(),
                    one.repaired() ? "yes" : "no");
        }
        return table;
    }
}
