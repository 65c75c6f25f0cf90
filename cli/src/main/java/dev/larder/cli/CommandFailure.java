package dev.larder.cli;

/** A command cannot do what was asked; shown as {@code larder: what: cause. Try: hint}, never with a stack trace. */
final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String hint;

    /** @param hint the next command to try, or null */
    CommandFailure(int exitCode, String what, String cause, String hint, Throwable reason) {
        super(what + ": " + cause, reason);
        this.exitCode = exitCode;
        this.hint = hint;
    }

    static CommandFailure failed(String what, String cause, String hint) {
        return new CommandFailure(ExitCodes.FAILED, what, cause, hint, null);
    }

    static CommandFailure failed(String what, Throwable reason, String hint) {
        String cause = reason.getMessage() == null
                ? reason.getClass().getSimpleName()
                : reason.getMessage().strip().replaceAll("\\s*\\R\\s*", " ");
        return new CommandFailure(ExitCodes.FAILED, what, cause, hint, reason);
    }

    static CommandFailure usage(String what, String cause, String hint) {
        return new CommandFailure(ExitCodes.USAGE, what, cause, hint, null);
    }

    int exitCode() {
        return exitCode;
    }

    String line() {
        if (hint == null) {
            return "larder: " + getMessage();
        }
        String end = getMessage().endsWith(".") ? "" : ".";
        return "larder: " + getMessage() + end + " Try: " + hint;
    }
}
