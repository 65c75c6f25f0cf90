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
        name = "config",
        description = "Shows every setting that a mounted volume runs with; secrets are left out.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:shown", "1:failed; the reason is on the error stream", "2:wrong arguments"},
        footerHeading = "%nExamples:%n",
        footer = {"  larder config /mnt/larder", "  larder config -o yaml /mnt/larder"})
final class ConfigCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Parameters(
            paramLabel = "DIR",
            arity = "0..1",
            description = "A mount point or a mounted volume's name; without one, the only one.")
    private Path directory;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Override
    public Integer call() {
        Answers.Config result;
        try (VolumeTarget volume = VolumeTarget.mounted(larder, directory)) {
            result = volume.ask(ControlProtocol.Command.CONFIG, Map.of(), Answers.Config.class);
        }
        format.print(larder.environment().out(), result.settings(), () -> table(result));
        return ExitCodes.OK;
    }

    private static Table table(Answers.Config result) {
        Table table = new Table("SETTING", "VALUE", "MEANING");
        result.settings().forEach(one -> table.row(one.key(), one.value(), one.description()));
        return table;
    }
}
