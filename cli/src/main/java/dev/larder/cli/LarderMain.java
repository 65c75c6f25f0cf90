package dev.larder.cli;

/** The process of the {@code larder} command. */
public final class LarderMain {
    private LarderMain() {}

    public static void main(String[] arguments) {
        // Read by logback when the first logger is made: only warnings, and on the error stream.
        System.setProperty("logback.configurationFile", "dev/larder/cli/logback.xml");
        int code = Larder.run(Environment.ofProcess(), arguments);
        System.out.flush();
        System.exit(code);
    }
}
