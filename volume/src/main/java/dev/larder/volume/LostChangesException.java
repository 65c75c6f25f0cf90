package dev.larder.volume;

/**
 * The database crashed, and changes that no fsync had made durable may be lost. Told once; nothing is left to be written.
 */
public final class LostChangesException extends ErrnoException {
    private static final long serialVersionUID = 1L;

    public LostChangesException(String message) {
        super(Errno.EIO, message);
    }
}
