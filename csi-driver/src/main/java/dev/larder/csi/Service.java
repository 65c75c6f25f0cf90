package dev.larder.csi;

import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/** A process of the driver from its arguments to SIGTERM: flags, log, exit codes. */
public final class Service {
    private static final Logger LOG = LoggerFactory.getLogger(Service.class);

    public static final int OK = 0;

    /** To be started again. */
    public static final int FAILED = 1;

    /** Starting again does not help: a flag is wrong. */
    public static final int WRONG_FLAG = 3;

    private Service() {}

    /** What runs until it is closed. */
    public interface Start<O> {
        AutoCloseable start(O options) throws Exception;
    }

    /**
     * Runs until SIGTERM.
     *
     * @param options with picocli's annotations
     * @param check throws IllegalArgumentException for a flag whose value cannot be
     * @return the exit code
     */
    public static <O> int run(String name, String[] arguments, O options, Consumer<O> check, Start<O> start) {
        CommandLine line = new CommandLine(options);
        try {
            if (CommandLine.printHelpIfRequested(line.parseArgs(arguments))) {
                return OK;
            }
            check.accept(options);
        } catch (CommandLine.ParameterException | IllegalArgumentException e) {
            line.getErr().println(name + ": " + e.getMessage() + "; next: " + name + " --help");
            return WRONG_FLAG;
        }
        ServiceLog.toStandardError();
        return serve(name, options, start);
    }

    private static <O> int serve(String name, O options, Start<O> start) {
        try {
            AutoCloseable running = start.start(options);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(name, running), "end"));
            new CountDownLatch(1).await();
            return OK;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return FAILED;
        } catch (Exception e) {
            LOG.error("{} cannot start", name, e);
            return FAILED;
        }
    }

    /** The launcher takes an end by SIGTERM for a wish only when the code says so. */
    private static void end(String name, AutoCloseable running) {
        try {
            running.close();
        } catch (Exception e) {
            LOG.error("{} ended badly", name, e);
        }
        Runtime.getRuntime().halt(OK);
    }
}
