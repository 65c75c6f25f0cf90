package dev.larder.csi;

import dev.larder.csi.custody.KeptVolumes;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/** The command csi-node: its flags, its end by SIGTERM, its exit codes. */
public final class CsiNodeMain {
    private static final Logger LOG = LoggerFactory.getLogger(CsiNodeMain.class);

    static final int OK = 0;

    /** To be started again. */
    static final int FAILED = 1;

    /** Starting again does not help: a flag is wrong. */
    static final int WRONG_FLAG = 3;

    private CsiNodeMain() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments, KeptVolumes::collect));
    }

    /**
     * Runs until SIGTERM.
     *
     * @param collect as of {@link CsiNode#start}
     * @return the exit code
     */
    static int run(String[] arguments, Function<CsiNodeOptions, NodeVolumes> collect) {
        CsiNodeOptions options = new CsiNodeOptions();
        CommandLine line = new CommandLine(options);
        try {
            if (CommandLine.printHelpIfRequested(line.parseArgs(arguments))) {
                return OK;
            }
            options.check();
        } catch (CommandLine.ParameterException | IllegalArgumentException e) {
            line.getErr().println("csi-node: " + e.getMessage() + "; next: csi-node --help");
            return WRONG_FLAG;
        }
        ServiceLog.toStandardError();
        return serve(options, collect);
    }

    private static int serve(CsiNodeOptions options, Function<CsiNodeOptions, NodeVolumes> collect) {
        try {
            CsiNode node = CsiNode.start(options, collect);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(node), "end"));
            new CountDownLatch(1).await();
            return OK;
        } catch (IOException e) {
            LOG.error("csi-node cannot start cause={}", e.toString());
            return FAILED;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return FAILED;
        }
    }

    /** The launcher takes an end by SIGTERM for a wish only when the code says so. */
    private static void end(CsiNode node) {
        node.close();
        Runtime.getRuntime().halt(OK);
    }
}
