package dev.larder.volume.objects;

import java.io.IOException;

/** The store refuses: wrong credentials, missing bucket, no permission. The message names which, and what to do. */
public final class StoreAccessException extends IOException {
    private static final long serialVersionUID = 1L;

    public StoreAccessException(String message) {
        super(message);
    }

    public StoreAccessException(String message, Throwable cause) {
        super(message, cause);
    }
}
