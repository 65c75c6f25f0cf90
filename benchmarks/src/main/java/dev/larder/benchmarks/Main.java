package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
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
            "  benchmarks/run --s3 --json result.json",
            "  benchmarks/run --delay-millis 2 --rows '1t'",
            "  benchmarks/run --manifest examples/local-s3.yaml"
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

    @Option(names = "--s3", description = "Objects in an S3 server on loopback instead of a directory.")
    private boolean s3;

    @Option(
            names = "--delay-millis",
            defaultValue = "0",
            description = "Added to each round trip between agent and database (default: none).")
    private long delayMillis;

    @Option(names = "--json", description = "Also write the results to this file.")
    private Path json;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Main()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        List<Measured> results = new ArrayList<>();
        try (Bed bed = Bed.create(larder, manifest, s3, Duration.ofMillis(delayMillis))) {
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
            table.foot(bed.idleAnonBytes());
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
                measured.add(target, row.body().run(target));
                target.end();
            }
        }
        return measured;
    }
}
