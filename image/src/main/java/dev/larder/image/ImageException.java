package dev.larder.image;

/** The image cannot be built. The message names the thing, the cause and what to do. */
final class ImageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ImageException(String message) {
        super(message);
    }
}
