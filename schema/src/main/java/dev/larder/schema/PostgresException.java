package dev.larder.schema;

/** A metadata server or its schema is not as it must be. The message names the thing, the cause and what to do. */
public final class PostgresException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PostgresException(String message) {
        super(message);
    }

    public PostgresException(String message, Throwable cause) {
        super(message, cause);
    }
}
