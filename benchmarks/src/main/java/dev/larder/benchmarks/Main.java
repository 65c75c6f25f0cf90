package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures a mounted volume against the local disk, row by row, both in turn, and prints medians and ratios. */
@Command(
        name = "benchmark",
        mixinStandardHelpOptions = true,
        description = "Measures a volume against the local disk: medians of interleaved rounds, and their ratio.",
        footer = {
            "",
            "Examples:",
            "  benchmarks/run --rounds 3",
            "  benchmarks/run --rows 'create|stat' --scale 0.2",
            "  benchmarks/run --manifest examples/local-s3.yaml --json result.json"
        })
public final class Main implements Callable<Integer> {
    @Parameters(index = "0", hidden = true, description = "The larder command.")
    private Path larder;

    @Option(names = "--rounds", defaultValue = "3", description = "Rounds of each row (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--scale",
            defaultValue = "1",
            description = "Factor of all sizes and counts (default: ${DEFAULT-VALUE}).")
    private double scale;

    @Option(names = "--rows", defaultValue = ".*", description = "Regular expression that a row's name must contain.")
    private Pattern rows;

    @Option(names = "--manifest", description = "Measure this volume instead of a new one with default stores.")
    private Path manifest;

    @Option(names = "--json", description = "Also write the results to this file.")
    private Path json;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Main()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        List<Measured> results = new ArrayList<>();
        try (Bed bed = Bed.create(larder, manifest)) {
            List<Row> selected = Rows.all(scale).stream()
                    .filter(row -> rows.matcher(row.name()).find())
                    .toList();
            if (selected.isEmpty()) {
                System.err.println("benchmark: no row matches '" + rows + "'");
                return 2;
            }
            Table table = new Table();
            table.head(bed.describe());
            for (Row row : selected) {
                Measured measured = measure(bed, row);
                results.add(measured);
                table.row(measured);
            }
            table.foot(bed);
            if (json != null) {
                Table.write(json, results);
            }
        }
        return 0;
    }

    private Measured measure(Bed bed, Row row) throws IOException {
        Measured measured = new Measured(row);
        for (int round = 0; round < rounds; round++) {
            for (Target target : List.of(bed.disk(), bed.volume())) {
                target.begin(row, round);
                Usage before = bed.usage();
                double rate = row.body().run(target);
                measured.add(target, rate, bed.usage().minus(before));
                target.end();
            }
        }
        return measured;
    }
}
