package dev.larder.agent.control;

/** A request that cannot be carried out, in words for the person who asked. */
public final class ControlException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String hint;

    /** @param hint what to do next, or null */
    public ControlException(String message, String hint) {
        super(message, null, false, false);
        this.hint = hint;
    }

    public String hint() {
        return hint;
    }
}
