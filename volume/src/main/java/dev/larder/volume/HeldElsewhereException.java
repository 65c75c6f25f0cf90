package dev.larder.volume;

/** EBUSY of a volume that one node has to itself; the message names the node and since when. */
public final class HeldElsewhereException extends ErrnoException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    public HeldElsewhereException(String reason) {
        super(Errno.EBUSY, reason);
        this.reason = reason;
    }

    /** The message without the errno. */
    public String reason() {
        return reason;
    }
}
