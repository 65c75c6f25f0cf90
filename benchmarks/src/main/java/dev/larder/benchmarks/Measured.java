package dev.larder.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** The rounds of one row. */
final class Measured {
    private final Row row;
    private final List<Double> disk = new ArrayList<>();
    private final List<Double> volume = new ArrayList<>();
    private final List<Double> agentCpu = new ArrayList<>();
    private final List<Double> databaseCpu = new ArrayList<>();
    private final List<Double> statements = new ArrayList<>();
    private long agentAnonBytes;

    Measured(Row row) {
        this.row = row;
    }

    void add(Target target, double rate, Usage used) {
        if (target instanceof Bed.Disk) {
            disk.add(rate);
        } else {
            volume.add(rate);
            agentCpu.add(used.agentCpuSeconds());
            databaseCpu.add(used.databaseCpuSeconds());
            statements.add((double) used.statements());
            agentAnonBytes = Math.max(agentAnonBytes, used.agentAnonBytes());
        }
    }

    Row row() {
        return row;
    }

    double diskRate() {
        return median(disk);
    }

    double volumeRate() {
        return median(volume);
    }

    double ratio() {
        return diskRate() == 0 ? 0 : volumeRate() / diskRate();
    }

    double agentCpuSeconds() {
        return median(agentCpu);
    }

    double databaseCpuSeconds() {
        return median(databaseCpu);
    }

    double statements() {
        return median(statements);
    }

    long agentAnonBytes() {
        return agentAnonBytes;
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
