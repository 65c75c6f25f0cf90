package dev.larder.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The figures that the build prints: the image's size by layer, and how long entry points take to answer. */
final class ImageReport {
    private static final int RUNS = 3;

    private final Path home;

    private ImageReport(Path home) {
        this.home = home;
    }

    static String of(ImageOptions options, StagedRoot root, ImageArchive.Sizes sizes)
            throws IOException, InterruptedException {
        ImageReport report = new ImageReport(root.path("/opt/larder"));
        StringBuilder text = new StringBuilder(
                "image: %s %s, %d MB".formatted(options.name(), ImageArchive.architecture(), megabytes(sizes.file())));
        for (Map.Entry<String, Long> layer : sizes.layers().entrySet()) {
            text.append(", %s %d MB".formatted(layer.getKey(), megabytes(layer.getValue())));
        }
        text.append("\nimage: seconds to the first answer with an AOT cache (without), best of " + RUNS + ":");
        text.append(" larder --help %.2f (%.2f)".formatted(report.help("on"), report.help("off")));
        for (String entry : List.of("csi-node", "node-agent")) {
            text.append(", %s %.2f (%.2f)".formatted(entry, report.health(entry, "on"), report.health(entry, "off")));
        }
        return text.toString();
    }

    private static long megabytes(long bytes) {
        return (bytes + 500_000) / 1_000_000;
    }

    private double help(String aot) throws IOException, InterruptedException {
        double best = Double.MAX_VALUE;
        for (int run = 0; run < RUNS; run++) {
            long began = System.nanoTime();
            Programs.run(List.of(
                    "env", "LARDER_AOT=" + aot, home.resolve("bin/larder-entry").toString(), "larder", "--help"));
            best = Math.min(best, (System.nanoTime() - began) / 1e9);
        }
        return best;
    }

    private double health(String entry, String aot) throws IOException, InterruptedException {
        double best = Double.MAX_VALUE;
        Path log = Files.createTempFile("larder-image", ".log");
        try {
            for (int run = 0; run < RUNS; run++) {
                try (ServedEntry served = ServedEntry.start(home, entry, Map.of("LARDER_AOT", aot), log)) {
                    best = Math.min(best, served.await("/healthz"));
                    served.kill();
                }
            }
            return best;
        } finally {
            Files.delete(log);
        }
    }
}
