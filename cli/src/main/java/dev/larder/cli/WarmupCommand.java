package dev.larder.cli;

import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "warmup",
        description = "Fetches files and directories into this machine's cache, with a progress bar.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything is in the cache",
            "1:something could not be fetched; it is named on the error stream",
            "2:wrong arguments"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder warmup /mnt/larder/dataset",
            "  larder warmup dataset/train dataset/labels.csv    within the only mounted volume",
            "  larder warmup /mnt/larder/model-00001.safetensors /mnt/larder/tokenizer"
        })
final class WarmupCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Parameters(
            paramLabel = "PATH",
            arity = "1..*",
            description = "Files and directories of one mounted volume: paths of this machine, or within the volume.")
    private List<Path> paths;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Override
    public Integer call() {
        Answers.Warmup result;
        try (VolumeTarget volume = VolumeTarget.ofPaths(larder, paths)) {
            List<String> within = paths.stream().map(volume::within).toList();
            result = volume.ask(ControlProtocol.Command.WARMUP, Map.of("paths", within), Answers.Warmup.class);
        }
        format.print(
                larder.environment().out(),
                result,
                () -> new Table(">FILES", ">BYTES", ">FAILED")
                        .row(
                                result.files(),
                                Units.bytes(result.bytes()),
                                result.failed().size()));
        result.failed().forEach(line -> larder.say("not fetched: " + line));
        return result.failed().isEmpty() ? ExitCodes.OK : ExitCodes.FAILED;
    }
}
