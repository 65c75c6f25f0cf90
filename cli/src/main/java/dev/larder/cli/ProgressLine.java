package dev.larder.cli;

import dev.larder.protocol.ControlProtocol.Progress;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress on the error stream: on a terminal one bar that is redrawn, with bytes, rate and time to go; elsewhere a plain
 * line now and then. Used by one thread.
 */
final class ProgressLine implements AutoCloseable {
    private static final int BAR = 24;
    private static final long REDRAW_NANOS = Duration.ofMillis(100).toNanos();
    private static final long PLAIN_NANOS = Duration.ofSeconds(5).toNanos();

    private final PrintStream err;
    private final boolean terminal;
    private final LongSupplier nanos;
    private long began;
    private long drawn;
    private String what;
    private boolean open;
    private boolean complete;

    ProgressLine(PrintStream err, boolean terminal) {
        this(err, terminal, System::nanoTime);
    }

    ProgressLine(PrintStream err, boolean terminal, LongSupplier nanos) {
        this.err = err;
        this.terminal = terminal;
        this.nanos = nanos;
    }

    void show(Progress progress) {
        long now = nanos.getAsLong();
        boolean fresh = !progress.what().equals(what);
        if (fresh) {
            end();
            what = progress.what();
            began = now;
            complete = false;
        }
        boolean last = !complete && progress.total() > 0 && progress.done() >= progress.total();
        complete |= last;
        if (!fresh && !last && now - drawn < (terminal ? REDRAW_NANOS : PLAIN_NANOS)) {
            return;
        }
        drawn = now;
        if (terminal) {
            err.print("\r\033[K" + line(progress, now - began));
            err.flush();
            open = true;
        } else {
            err.println(line(progress, now - began));
        }
    }

    private static String line(Progress progress, long elapsedNanos) {
        StringBuilder line = new StringBuilder(progress.what());
        boolean bytes = "bytes".equals(progress.unit());
        if (progress.total() > 0) {
            double part = Math.min(1, (double) progress.done() / progress.total());
            int full = (int) (part * BAR);
            line.append(" [")
                    .append("#".repeat(full))
                    .append(".".repeat(BAR - full))
                    .append(']');
            line.append(String.format(Locale.ROOT, " %3.0f %%", part * 100));
        }
        if (progress.done() > 0 || progress.total() > 0) {
            line.append(' ').append(amount(progress.done(), bytes, progress.unit()));
            if (progress.total() > 0) {
                line.append(" of ").append(amount(progress.total(), bytes, progress.unit()));
            }
        }
        double seconds = elapsedNanos / 1e9;
        if (seconds > 1 && progress.done() > 0) {
            double rate = progress.done() / seconds;
            if (bytes) {
                line.append(", ").append(Units.bytes((long) rate)).append("/s");
            }
            if (progress.total() > progress.done()) {
                long left = (long) ((progress.total() - progress.done()) / rate);
                line.append(", ")
                        .append(Units.duration(Duration.ofSeconds(left)))
                        .append(" to go");
            }
        }
        return line.toString();
    }

    private static String amount(long count, boolean bytes, String unit) {
        return bytes ? Units.bytes(count) : unit == null || unit.isEmpty() ? "" + count : count + " " + unit;
    }

    @Override
    public void close() {
        end();
    }

    /** Ends the line that is open. */
    void end() {
        if (open) {
            err.println();
            open = false;
        }
    }
}
