package dev.larder.volume.objects;

import java.io.IOException;

/** There is no such object. */
public final class MissingObjectException extends IOException {
    private static final long serialVersionUID = 1L;

    public MissingObjectException(String key) {
        super("no object " + key);
    }
}
