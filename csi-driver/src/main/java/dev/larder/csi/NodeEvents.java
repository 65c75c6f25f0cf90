package dev.larder.csi;

import java.util.UUID;

/** Tells people of a {@link VolumeEvent}. It never throws and never waits: what cannot be told is counted. */
@FunctionalInterface
public interface NodeEvents {
    /** Without a cluster: the log says it already. */
    NodeEvents NONE = (event, volume, name, pod, what) -> {};

    /**
     * @param name namespace/name of the SharedVolume; null = not known
     * @param pod the one it concerns; null = all on this node that use the volume
     * @param what a sentence without its full stop; the command to run next is added
     */
    void tell(VolumeEvent event, UUID volume, String name, PodReference pod, String what);
}
