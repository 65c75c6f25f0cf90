package dev.larder.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Starts agents with the JVM, class path and options of this process, and decides how long to wait between two. */
final class AgentProcess {
    /** The agent's exit code for a start that another try would not mend: the message on its standard error says why. */
    static final int EXIT_REFUSED = 3;

    /** The system property that names the agent's AOT cache; without it, or without the file, the JVM starts plain. */
    static final String AOT_PROPERTY = "larder.aot.agent";

    /** The system property that names a file for what an agent's run teaches; {@code larder train} makes a cache of it. */
    static final String RECORD_PROPERTY = "larder.aot.record";

    /** Options of the agent's JVM, separated by blanks; for memory settings of large nodes. */
    static final String OPTIONS_PROPERTY = "larder.agent.options";

    private static final Duration FIRST_DELAY = Duration.ofMillis(50);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(5);
    private static final Duration HEALTHY = Duration.ofSeconds(30);
    /**
     * ArchiveRelocationMode 0: the JVM maps its archives where they were made for instead of moving them, so that their
     * pages stay the file's. Measured idle: 98 to 100 MB of anonymous memory instead of 114 to 123. Out of memory, an
     * agent ends: a successor serves the mount, where it would go on with threads that have died.
     */
    private static final String DEFAULT_OPTIONS =
            "-XX:+UseSerialGC -Xms24m -Xmx96m -XX:MaxDirectMemorySize=128m -XX:-UsePerfData -Xss512k"
                    + " -XX:+ExitOnOutOfMemoryError"
                    + " -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=48m -XX:MaxMetaspaceSize=96m"
                    + " -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0";

    private final Path spec;
    private Duration delay = FIRST_DELAY;
    private long startedNanos;

    AgentProcess(Path spec) {
        this.spec = spec;
    }

    Process start() throws IOException {
        startedNanos = System.nanoTime();
        return new ProcessBuilder(command())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private List<String> command() throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of(
                System.getProperty(OPTIONS_PROPERTY, DEFAULT_OPTIONS).strip().split("\\s+", -1)));
        command.addAll(aot());
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(AgentMain.class.getName());
        command.add(spec.toString());
        return command;
    }

    private static List<String> aot() throws IOException {
        String record = System.getProperty(RECORD_PROPERTY);
        if (record != null) {
            return List.of("-XX:AOTMode=record", "-XX:AOTConfiguration=" + record);
        }
        String cache = System.getProperty(AOT_PROPERTY);
        // An empty file: making it was tried and failed.
        if (cache == null || !Files.isReadable(Path.of(cache)) || Files.size(Path.of(cache)) == 0) {
            return List.of();
        }
        return List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off,aot*=off,cds=off");
    }

    /** How long to wait before the next start: nothing much after a long life, longer after each early death. */
    Duration delayAfterDeath() {
        if (System.nanoTime() - startedNanos > HEALTHY.toNanos()) {
            delay = FIRST_DELAY;
        }
        Duration now = delay;
        delay = delay.multipliedBy(2).compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay.multipliedBy(2);
        return now;
    }
}
