package dev.larder.cli;

/** The process of the {@code larder} command. */
public final class LarderMain {
    private LarderMain() {}

    public static void main(String[] arguments) {
        int code = Larder.run(Environment.ofProcess(), arguments);
        System.out.flush();
        System.exit(code);
    }
}
