package dev.larder.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What main hands to the commands, so that nothing below it reads the process' surroundings.
 *
 * @param terminal progress may be redrawn on {@code err}
 * @param root the command runs as root
 * @param aotCache the agent's AOT cache, or null
 * @param aotRecord agents write here what a cache is made of, or null
 */
record Environment(
        PrintStream out,
        PrintStream err,
        boolean terminal,
        Map<String, String> variables,
        Path home,
        boolean root,
        String classPath,
        String javaHome,
        String aotCache,
        String aotRecord) {
    static final String STATE_VARIABLE = "LARDER_STATE_DIR";
    static final String AOT_PROPERTY = "larder.aot.agent";
    static final String RECORD_PROPERTY = "larder.aot.record";

    static Environment ofProcess() {
        return new Environment(
                System.out,
                System.err,
                isTerminal(2),
                System.getenv(),
                Path.of(System.getProperty("user.home")),
                "root".equals(System.getProperty("user.name")),
                System.getProperty("java.class.path"),
                System.getProperty("java.home"),
                System.getProperty(AOT_PROPERTY),
                null);
    }

    /** The same, but agents record their run, and what commands print goes to the error stream. */
    Environment recording(Path record) {
        return new Environment(err, err, false, variables, home, root, classPath, javaHome, null, record.toString());
    }

    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    /** @param option of the command line, or null */
    StateDirectory stateDirectory(Path option) {
        if (option != null) {
            return new StateDirectory(option.toAbsolutePath().normalize());
        }
        String variable = variables.get(STATE_VARIABLE);
        if (variable != null && !variable.isEmpty()) {
            return new StateDirectory(Path.of(variable).toAbsolutePath().normalize());
        }
        if (root) {
            return new StateDirectory(Path.of("/var/lib/larder"));
        }
        String state = variables.get("XDG_STATE_HOME");
        Path base = state == null || state.isEmpty() ? home.resolve(".local/state") : Path.of(state);
        return new StateDirectory(base.resolve("larder"));
    }
}
