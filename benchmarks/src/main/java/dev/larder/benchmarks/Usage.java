package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the processes behind a mount have used.
 *
 * @param agentCpuSeconds user and system time
 * @param databaseCpuSeconds of all the server's processes that still live, with their ended children
 * @param statements sent to the database since the agent began
 * @param puts objects written since the agent began
 * @param gets objects and ranges read since the agent began
 * @param agentAnonBytes RssAnon + RssShmem now (proc(5) status)
 */
record Usage(
        double agentCpuSeconds, double databaseCpuSeconds, long statements, long puts, long gets, long agentAnonBytes) {
    static final Usage NONE = new Usage(0, 0, 0, 0, 0, 0);

    private static final double TICKS_PER_SECOND = 100;

    static Usage of(long agentPid, long databasePid, Path mountPoint) throws IOException {
        Map<String, String> stats = new HashMap<>();
        for (String line : Files.readAllLines(mountPoint.resolve(".larder/stats"))) {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                stats.put(line.substring(0, colon), line.substring(colon + 2).strip());
            }
        }
        return new Usage(
                cpu(agentPid, false),
                tree(databasePid),
                count(stats, "statements"),
                count(stats, "objectPuts"),
                count(stats, "objectGets"),
                anon(agentPid));
    }

    private static long count(Map<String, String> stats, String name) throws IOException {
        String value = stats.get(name);
        if (value == null) {
            throw new IOException(".larder/stats has no " + name);
        }
        return Long.parseLong(value);
    }

    Usage minus(Usage before) {
        return new Usage(
                agentCpuSeconds - before.agentCpuSeconds,
                databaseCpuSeconds - before.databaseCpuSeconds,
                statements - before.statements,
                puts - before.puts,
                gets - before.gets,
                agentAnonBytes);
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
