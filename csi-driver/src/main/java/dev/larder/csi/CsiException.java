package dev.larder.csi;

import io.grpc.Status;

/** A call that is answered with an error; {@link CsiErrors} makes the answer. */
public final class CsiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Status.Code code;
    private final String next;

    public CsiException(Status.Code code, String message) {
        this(code, message, null);
    }

    private CsiException(Status.Code code, String message, String next) {
        super(message);
        this.code = code;
        this.next = next;
    }

    /** A request that can never succeed as it is. */
    public static CsiException invalid(String message) {
        return new CsiException(Status.Code.INVALID_ARGUMENT, message);
    }

    /** A request that must wait for somebody to change something. */
    public static CsiException precondition(String message) {
        return new CsiException(Status.Code.FAILED_PRECONDITION, message);
    }

    public static CsiException notFound(String message) {
        return new CsiException(Status.Code.NOT_FOUND, message);
    }

    /** The same with the command that a person should run next. */
    public CsiException next(String command) {
        return new CsiException(code, getMessage(), command);
    }

    public Status.Code code() {
        return code;
    }

    /** Null = {@link CsiErrors} knows a general one. */
    public String next() {
        return next;
    }
}
