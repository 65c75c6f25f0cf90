package dev.larder.benchmarks;

import java.io.IOException;

/**
 * One line of the table.
 *
 * @param unit of the rate that the body returns, higher is better
 */
record Row(String name, String unit, Body body) {
    /** Prepares, measures and cleans up in the target's directory. */
    @FunctionalInterface
    interface Body {
        /** @return operations or megabytes a second of the measured part */
        double run(Target target) throws IOException;
    }
}
