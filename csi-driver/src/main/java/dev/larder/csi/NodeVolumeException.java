package dev.larder.csi;

/** A volume that could not be mounted, refreshed or unmounted on this node. */
public final class NodeVolumeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Each has its gRPC code in {@link CsiErrors}. */
    public enum Reason {
        /** No agent came to serve the volume. */
        NO_AGENT,
        /** The agent's own message says why it does not serve the volume. */
        REFUSED,
        /** An agent is there and did not answer in time. */
        TIMEOUT,
        /** The volume's Secret lacks something or does not fit the volume. */
        BAD_SECRET,
        /** The volume may be used by one node at a time and another has it; the message names the holder. */
        HELD_ELSEWHERE,
        /** This process ends and mounts nothing any more. */
        CLOSING,
        /** Anything else; the message says it. */
        FAILED
    }

    private final Reason reason;

    public NodeVolumeException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public NodeVolumeException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
