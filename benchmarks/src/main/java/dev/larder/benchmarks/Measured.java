package dev.larder.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The rounds of one row. */
final class Measured {
    private final Row row;
    private final List<Double> disk = new ArrayList<>();
    private final List<Double> volume = new ArrayList<>();
    private final List<Usage> used = new ArrayList<>();
    private long operations = 1;

    Measured(Row row) {
        this.row = row;
    }

    void add(Target target, double rate) {
        if (target instanceof Bed.Disk) {
            disk.add(rate);
        } else {
            volume.add(rate);
            used.add(target.used());
            operations = target.operations();
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

    /** Microseconds an operation. */
    double agentMicros() {
        return median(Usage::agentCpuSeconds) * 1e6 / operations;
    }

    double databaseMicros() {
        return median(Usage::databaseCpuSeconds) * 1e6 / operations;
    }

    /** Statements an operation. */
    double statements() {
        return median(Usage::statements) / operations;
    }

    double puts() {
        return median(Usage::puts);
    }

    double gets() {
        return median(Usage::gets);
    }

    long agentAnonBytes() {
        return used.stream().mapToLong(Usage::agentAnonBytes).max().orElse(0);
    }

    private double median(ToDoubleFunction<Usage> of) {
        return median(used.stream().map(of::applyAsDouble).toList());
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
