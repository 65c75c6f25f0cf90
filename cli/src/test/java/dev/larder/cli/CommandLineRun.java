package dev.larder.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** One run of the command in this process, with what it printed. */
record CommandLineRun(int exit, String out, String err) {
    static CommandLineRun of(Path state, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Environment environment = new Environment(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                Map.of(Environment.STATE_VARIABLE, state.toString()),
                state,
                false,
                System.getProperty("java.class.path"),
                System.getProperty("java.home"),
                null,
                null);
        int exit = Larder.run(environment, arguments);
        return new CommandLineRun(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
