package dev.larder.csi.cluster;

/** A request that the API server refused, or that got no answer in time. */
public final class ApiException extends Exception {
    private static final long serialVersionUID = 1L;

    /** In place of an HTTP status. */
    static final int NO_ANSWER = 0;

    static final int NOT_FOUND = 404;
    static final int CONFLICT = 409;
    static final int GONE = 410;
    static final int UNPROCESSABLE = 422;
    static final int TOO_MANY_REQUESTS = 429;

    private final int status;

    ApiException(int status, String message) {
        super(message);
        this.status = status;
    }

    ApiException(String message, Throwable cause) {
        super(message, cause);
        this.status = NO_ANSWER;
    }

    /** Of HTTP, or {@link #NO_ANSWER}. */
    int status() {
        return status;
    }

    /** The object is not there; what was to be done with it need not be done any more. */
    boolean isNotFound() {
        return status == NOT_FOUND;
    }

    /** Somebody else changed the object meanwhile, or made it: read it again. */
    boolean isConflict() {
        return status == CONFLICT || isUnprocessable();
    }

    /** A test of a JSON patch did not hold. */
    boolean isUnprocessable() {
        return status == UNPROCESSABLE;
    }

    /** The resourceVersion is too old: list again. */
    boolean isGone() {
        return status == GONE;
    }

    /** The same request may succeed in a moment. */
    boolean isPassing() {
        return status == NO_ANSWER || status == TOO_MANY_REQUESTS || status >= 500;
    }
}
