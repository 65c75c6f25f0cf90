package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the processes behind a mount have used.
 *
 * @param agentCpuSeconds user and system time
 * @param databaseCpuSeconds of all the server's processes that still live, with their ended children
 * @param statements sent to the database since the agent began, 0 when the mount does not tell
 * @param agentAnonBytes RssAnon + RssShmem now (proc(5) status)
 */
record Usage(double agentCpuSeconds, double databaseCpuSeconds, long statements, long agentAnonBytes) {
    private static final double TICKS_PER_SECOND = 100;

    private static final String STATEMENTS = "statements: ";

    static Usage of(long agentPid, long databasePid, Path mountPoint) throws IOException {
        return new Usage(cpu(agentPid, false), tree(databasePid), statements(mountPoint), anon(agentPid));
    }

    Usage minus(Usage before) {
        return new Usage(
                agentCpuSeconds - before.agentCpuSeconds,
                databaseCpuSeconds - before.databaseCpuSeconds,
                Math.max(0, statements - before.statements),
                agentAnonBytes);
    }

    private static long statements(Path mountPoint) throws IOException {
        for (String line : Files.readAllLines(mountPoint.resolve(".larder/stats"))) {
            if (line.startsWith(STATEMENTS)) {
                return Long.parseLong(line.substring(STATEMENTS.length()).strip());
            }
        }
        return 0;
    }

    private static double tree(long pid) throws IOException {
        if (pid <= 0) {
            return 0;
        }
        double sum = cpu(pid, true);
        List<ProcessHandle> children;
        try (Stream<ProcessHandle> stream =
                ProcessHandle.of(pid).map(ProcessHandle::children).orElse(Stream.empty())) {
            children = stream.toList();
        }
        for (ProcessHandle child : children) {
            sum += cpu(child.pid(), true);
        }
        return sum;
    }

    /** Fields 14 to 17 of /proc/PID/stat, counted after the name in parentheses. */
    private static double cpu(long pid, boolean withChildren) throws IOException {
        Path stat = Path.of("/proc", Long.toString(pid), "stat");
        if (pid <= 0 || !Files.exists(stat)) {
            return 0;
        }
        String text = Files.readString(stat);
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        if (withChildren) {
            ticks += Long.parseLong(fields[13]) + Long.parseLong(fields[14]);
        }
        return ticks / TICKS_PER_SECOND;
    }

    private static long anon(long pid) throws IOException {
        Path status = Path.of("/proc", Long.toString(pid), "status");
        if (pid <= 0 || !Files.exists(status)) {
            return 0;
        }
        long kib = 0;
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("RssAnon:") || line.startsWith("RssShmem:")) {
                kib += Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return kib << 10;
    }
}
