package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The POSIX conformance suite (the Rust pjdfstest), whole, as root: on the mount everything must pass that passes on the
 * local disk in the same run; nothing is excluded.
 */
class PjdfstestTest {
    private static final Pattern LINE = Pattern.compile("(?m)^(\\S+::\\S+)\\s+(ok|FAILED|skipped)$");

    private static final String CONFIG = """
            [features]
            posix_fallocate = {}
            rename_ctime = {}
            utime_now = {}
            utimensat = {}

            [settings]
            naptime = 0.05
            allow_remount = false

            [dummy_auth]
            entries = [["nobody", "nogroup"], ["daemon", "daemon"], ["bin", "bin"]]
            """;

    @Test
    @Timeout(900)
    void everythingThatTheLocalDiskPassesPasses() throws IOException {
        String suite = Tools.find("pjdfstest");
        assumeTrue(suite != null || Tools.CI, "pjdfstest is not installed: cargo install pjdfstest --version 0.2.2");
        assumeTrue("root".equals(System.getProperty("user.name")), "pjdfstest needs root");
        try (Larder larder = Larder.create()) {
            Path config = Files.writeString(larder.home().resolve("pjdfstest.toml"), CONFIG);
            Path disk = Files.createDirectory(larder.home().resolve("disk"));
            Path mount = larder.mount(larder.manifest("posix"), "m");

            Outcome local = run(suite, config, disk);
            Outcome ours = run(suite, config, mount);

            Set<String> missing = new TreeSet<>(local.passed);
            missing.removeAll(ours.passed);
            missing.removeAll(ours.skipped);
            assertEquals(Set.of(), missing, () -> "fail here, pass on the local disk; the suite said\n" + ours.output);
            assertEquals(Set.of(), ours.failed, () -> ours.output);
            assertTrue(ours.passed.size() > 300, () -> "only " + ours.passed.size() + " tests ran:\n" + ours.output);
            System.out.println("pjdfstest: " + ours.passed.size() + " passed, " + ours.failed.size() + " failed, "
                    + ours.skipped.size() + " skipped (local disk: " + local.passed.size() + " passed, "
                    + local.failed.size() + " failed, " + local.skipped.size() + " skipped)");
            Set<String> skippedHereOnly = new TreeSet<>(ours.skipped);
            skippedHereOnly.removeAll(local.skipped);
            System.out.println("pjdfstest: skipped here only: " + skippedHereOnly);
        }
    }

    private record Outcome(Set<String> passed, Set<String> failed, Set<String> skipped, String output) {}

    private static Outcome run(String suite, Path config, Path directory) {
        Command.Result result = Command.run(
                directory,
                Map.of(),
                Duration.ofMinutes(6),
                suite,
                "-c",
                config.toString(),
                "-p",
                directory.toString(),
                "-s",
                "/dev/shm");
        Outcome outcome = new Outcome(new TreeSet<>(), new TreeSet<>(), new TreeSet<>(), result.out() + result.err());
        Matcher line = LINE.matcher(outcome.output);
        while (line.find()) {
            switch (line.group(2)) {
                case "ok" -> outcome.passed.add(line.group(1));
                case "FAILED" -> outcome.failed.add(line.group(1));
                default -> outcome.skipped.add(line.group(1));
            }
        }
        return outcome;
    }
}
