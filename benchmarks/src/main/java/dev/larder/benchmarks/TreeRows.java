package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What people do with a tree of sources: java.base of the JDK. Rates are trees a second. */
final class TreeRows {
    /** Files and directories in java.base of JDK 25, about. */
    private static final int ENTRIES = 3_600;

    private TreeRows() {}

    static List<Row> all() {
        return List.of(
                new Row("untar java.base", "trees/s", target -> timed(target, "tar", "xf", archive())),
                new Row(
                        "find java.base, warm",
                        "trees/s",
                        target -> onTree(target, false, "find", "java.base", "-type", "f")),
                new Row(
                        "grep -r java.base, cold",
                        "trees/s",
                        t -> onTree(t, true, "grep", "-rl", "HashMap", "java.base")),
                new Row("cp -r java.base", "trees/s", target -> onTree(target, false, "cp", "-r", "java.base", "copy")),
                new Row("rm -rf java.base", "trees/s", target -> onTree(target, false, "rm", "-rf", "java.base")));
    }

    private static double onTree(Target target, boolean cold, String... command) throws IOException {
        timed(target, "tar", "xf", archive());
        if (cold) {
            target.cold();
        }
        return timed(target, command);
    }

    private static double timed(Target target, String... command) throws IOException {
        return target.measure(ENTRIES, () -> {
            long start = System.nanoTime();
            Shell.run(target.directory(), command);
            return 1 / Target.seconds(start);
        });
    }

    /** A tar of the JDK's java.base sources, made once. */
    private static String archive() throws IOException {
        Path tar = Path.of(System.getProperty("java.io.tmpdir"), "larder-benchmark-java.base.tar");
        if (!Files.exists(tar)) {
            Path scratch = Files.createTempDirectory("larder-benchmark");
            String home = System.getProperty("java.home");
            Shell.run(scratch, home + "/bin/jar", "xf", home + "/lib/src.zip", "java.base");
            Path fresh = scratch.resolve("fresh.tar");
            Shell.run(scratch, "tar", "cf", fresh.toString(), "java.base");
            Files.move(fresh, tar);
            Shell.run(Path.of("/"), "rm", "-rf", scratch.toString());
        }
        return tar.toString();
    }
}
