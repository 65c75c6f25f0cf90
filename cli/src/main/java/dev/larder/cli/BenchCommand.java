package dev.larder.cli;

import dev.larder.crds.Quantity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "bench",
        description = {
            "Measures a directory in a minute: small files, and one large file.",
            "It says what to expect of a mount on this machine; the benchmarks module compares with a local disk in detail."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:measured", "1:failed; the reason is on the error stream", "2:wrong arguments"},
        footerHeading = "%nExamples:%n",
        footer = {"  larder bench /mnt/larder", "  larder bench --size 1Gi --files 1000 -o json /mnt/larder"})
final class BenchCommand implements Callable<Integer> {
    @ParentCommand
    private Larder larder;

    @Parameters(paramLabel = "DIR", description = "A directory; a folder is made in it and removed afterwards.")
    private Path directory;

    @Option(
            names = "--size",
            paramLabel = "QUANTITY",
            defaultValue = "256Mi",
            description = "Of the large file. Default: ${DEFAULT-VALUE}")
    private String size;

    @Option(
            names = "--files",
            paramLabel = "COUNT",
            defaultValue = "500",
            description = "How many small files. Default: ${DEFAULT-VALUE}")
    private int files;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Override
    public Integer call() {
        long bytes;
        try {
            bytes = Quantity.parse(size).bytes();
        } catch (IllegalArgumentException e) {
            throw CommandFailure.usage("--size", e.getMessage(), "--size=256Mi");
        }
        if (files < 1) {
            throw CommandFailure.usage("--files", "is not above zero", "--files=500");
        }
        if (!Files.isDirectory(directory)) {
            throw CommandFailure.failed(directory.toString(), "is not a directory", "larder status");
        }
        try (ProgressLine progress = larder.progress()) {
            List<Bench.Row> rows = new Bench(directory, bytes, files, progress).run();
            progress.end();
            format.print(larder.environment().out(), rows, () -> table(rows));
        } catch (IOException e) {
            throw CommandFailure.failed("bench in " + directory, StateDirectory.reason(e), "df -h " + directory);
        }
        return ExitCodes.OK;
    }

    private static Table table(List<Bench.Row> rows) {
        Table table = new Table("MEASURED", ">COUNT", ">BYTES", ">SECONDS", ">A SECOND");
        for (Bench.Row row : rows) {
            table.row(
                    row.measured(),
                    row.count(),
                    Units.bytes(row.bytes()),
                    String.format(java.util.Locale.ROOT, "%.3f", row.seconds()),
                    row.perSecond());
        }
        return table;
    }
}
