package dev.larder.volume.objects;

import java.io.IOException;

/** Stored bytes do not match their checksum. */
public final class CorruptContentException extends IOException {
    private static final long serialVersionUID = 1L;

    public CorruptContentException(String message) {
        super(message);
    }
}
