package dev.larder.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Where a row runs: the local disk, or a mounted volume. */
abstract class Target {
    private final String name;
    private final Path root;
    private Path directory;
    private Usage used = Usage.NONE;
    private long operations = 1;

    /** A part of a row that is measured. */
    @FunctionalInterface
    interface Part {
        /** @return its rate */
        double run() throws IOException;
    }

    Target(String name, Path root) {
        this.name = name;
        this.root = root;
    }

    String name() {
        return name;
    }

    /** An empty directory of this row and round. */
    Path directory() {
        return directory;
    }

    void begin(Row row, int round) throws IOException {
        directory = root.resolve(row.name().replaceAll("[^a-zA-Z0-9]+", "-") + "-" + round);
        Files.createDirectories(directory);
    }

    void end() throws IOException {
        Shell.run(root, "rm", "-rf", directory.toString());
    }

    /** Runs a part; what the last one of a row used is what the table shows. */
    double measure(long count, Part part) throws IOException {
        Usage before = usage();
        double rate = part.run();
        used = usage().minus(before);
        operations = count;
        return rate;
    }

    /** By the last measured part. */
    Usage used() {
        return used;
    }

    /** In the last measured part; megabytes for large files. */
    long operations() {
        return operations;
    }

    /** So far, by the processes behind it. */
    abstract Usage usage() throws IOException;

    /** Nothing is cached on this machine, as far as the target can: the store has everything. */
    abstract void cold() throws IOException;

    /** The node's cache is full of it, the kernel's is empty. */
    abstract void localCache() throws IOException;

    static void dropKernelCaches() throws IOException {
        Shell.run(Path.of("/"), "sync");
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3");
    }

    static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
