package dev.larder.image;

import java.io.IOException;
import java.util.Locale;
import java.util.Map;

/** The figures that the build prints: the image's size by layer, and how long an entry point takes to answer. */
final class ImageReport {
    private static final int RUNS = 5;

    private ImageReport() {}

    static String of(ImageOptions options, StagedRoot root, ImageArchive.Sizes sizes)
            throws IOException, InterruptedException {
        StringBuilder text = new StringBuilder(
                "image: %s %s, %d MB".formatted(options.name(), ImageArchive.architecture(), megabytes(sizes.file())));
        for (Map.Entry<String, Long> layer : sizes.layers().entrySet()) {
            text.append(", %s %d MB".formatted(layer.getKey(), megabytes(layer.getValue())));
        }
        String entry = root.path("/opt/larder/bin/larder-entry").toString();
        text.append("%nimage: start-up of `larder --help`, best of %d: %.2f s with its AOT cache, %.2f s without"
                .formatted(RUNS, seconds(entry, "on"), seconds(entry, "off")));
        return text.toString();
    }

    private static long megabytes(long bytes) {
        return (bytes + 500_000) / 1_000_000;
    }

    private static double seconds(String entry, String aot) throws IOException, InterruptedException {
        long best = Long.MAX_VALUE;
        for (int run = 0; run < RUNS; run++) {
            long began = System.nanoTime();
            Programs.run(
                    java.util.List.of("env", "LARDER_AOT=" + aot.toLowerCase(Locale.ROOT), entry, "larder", "--help"));
            best = Math.min(best, System.nanoTime() - began);
        }
        return best / 1e9;
    }
}
