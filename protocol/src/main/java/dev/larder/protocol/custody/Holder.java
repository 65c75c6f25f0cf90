package dev.larder.protocol.custody;

import dev.larder.linux.Descriptor;
import java.util.List;
import java.util.UUID;

/**
 * An agent's mounts, as {@link KeeperLink} needs them. Called by the link's thread, which must not be kept: what takes
 * long goes on elsewhere, and its end is told by {@link KeeperLink#tell}. All may be asked for twice.
 */
public interface Holder {
    /** @param negotiated the INIT record */
    record Holding(UUID volume, Descriptor fuse, byte[] negotiated, boolean serving) {}

    /** Everything that is held now; told again on each connection. */
    List<Holding> holdings();

    /** Keep this descriptor, which is the holder's from now on. */
    void hold(UUID volume, Descriptor fuse, byte[] negotiated);

    /** Take over and serve; then tell SERVING, or REFUSED. */
    void serve(UUID volume);

    /** Serve no longer, so that a successor can; then tell RELEASED. */
    void release(UUID volume);

    /** The mount has ended; end its session, close the descriptor, then tell DROPPED. */
    void drop(UUID volume);

    /** Nothing depends on this process any more. */
    void relieved();
}
