package dev.larder.install;

/** A hook cannot do its thing. The message names it, the cause and the next command. */
final class InstallException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InstallException(String message) {
        super(message);
    }

    InstallException(String message, Throwable cause) {
        super(message, cause);
    }
}
