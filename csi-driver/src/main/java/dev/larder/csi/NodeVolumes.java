package dev.larder.csi;

import dev.larder.protocol.MountStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * The volumes that are mounted on this node, each once, at {@link NodePaths#volumeMount}, whoever uses it; they outlive
 * agents and this process. Calls for one volume come one after another, those for several at once. Each returns within its
 * patience and a little.
 */
public interface NodeVolumes extends AutoCloseable {
    /**
     * A volume that is mounted.
     *
     * @param name namespace/name of its SharedVolume
     * @param controlSocket where its agent answers, if one serves it
     */
    record Mounted(UUID id, String name, Path controlSocket, boolean served) {}

    /**
     * Mounts the volume unless it is, and returns when an agent serves it. Idempotent: what a call that failed or a
     * process that died left half done is done to its end. Newer files of the Secret replace older ones in any case.
     *
     * @param exclusive no other node may use the volume meanwhile: the holder is recorded, fenced, in the volume's
     *     database, and {@link NodeVolumeException.Reason#HELD_ELSEWHERE} names it
     * @return the mount
     * @throws NodeVolumeException with a reason
     */
    Path mount(UUID volume, VolumeSecret secret, boolean exclusive, Duration patience);

    /**
     * Rewrites the Secret's files of a mounted volume when its generation is newer; nothing when it is not mounted.
     *
     * @throws NodeVolumeException when they cannot be written
     */
    void refresh(UUID volume, VolumeSecret secret);

    /**
     * Makes what was written durable, unmounts and ends the session. Idempotent. Without an agent the mount is detached,
     * and what the node's journal has is uploaded when the volume is mounted here again.
     *
     * @throws NodeVolumeException when an agent is there and did not end the session in time: call again
     */
    void unmount(UUID volume, Duration patience);

    boolean isMounted(UUID volume);

    /** Those that are mounted and have their record. */
    List<Mounted> mounted();

    /** namespace/name of the SharedVolume, by the record of the volume's mount; null without one. */
    String name(UUID volume);

    /** How many agents can serve volumes; one that is about to end is not counted. */
    int agents();

    /** Usage and condition as the agent tells, or null without an answer in time. */
    MountStatus status(UUID volume, Duration patience);

    /**
     * Returns when another process has every descriptor and record, or when none came in the time for that. From its
     * beginning on nothing new is mounted ({@link NodeVolumeException.Reason#CLOSING}); all other calls still work.
     */
    @Override
    void close();
}
