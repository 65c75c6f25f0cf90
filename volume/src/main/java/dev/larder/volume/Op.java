package dev.larder.volume;

/**
 * The identity of one request, so that it is executed once even when it is sent again: by the kernel after its server
 * died, or by a client whose connection broke before the answer.
 *
 * @param id the request's number (FUSE {@code unique} without bit 63, times four, plus a step); 0 = never sent again
 * @param resent it may have been executed already: look for a recorded result first
 */
public record Op(long id, boolean resent) {
    public static final Op NONE = new Op(0, false);

    /** The next step of the same request, 0 to 3, for requests that need several statements. */
    public Op step(int step) {
        return id == 0 ? this : new Op(id + step, resent);
    }
}
