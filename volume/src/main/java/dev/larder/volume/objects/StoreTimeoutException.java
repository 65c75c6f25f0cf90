package dev.larder.volume.objects;

import java.io.IOException;

/** A deadline passed: of a request, of a transfer with its retries, or of the wait for memory. The message says which. */
public final class StoreTimeoutException extends IOException {
    private static final long serialVersionUID = 1L;

    public StoreTimeoutException(String message) {
        super(message);
    }

    public StoreTimeoutException(String message, Throwable cause) {
        super(message, cause);
    }
}
