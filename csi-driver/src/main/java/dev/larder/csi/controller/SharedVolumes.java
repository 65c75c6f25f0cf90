package dev.larder.csi.controller;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * The SharedVolumes of the cluster, as far as claims go. Each call sees what the API server has now; an API server that
 * refuses or does not answer is a {@link dev.larder.csi.CsiException} with UNAVAILABLE or the code that fits.
 */
interface SharedVolumes {
    /** Null when there is none. */
    VolumeObject find(String namespace, String name);

    /** Null when there is none. */
    VolumeObject find(UUID volume);

    /** Those that have their identity already, in its order. */
    List<VolumeObject> list();

    /** Makes it, unless one of that name is there meanwhile, which is returned then, whatever it is. */
    VolumeObject create(WantedVolume wanted);

    /** Raises the capacity that is asked for; never lowers it. */
    void grow(VolumeObject volume, long capacityBytes);

    /** Asks for its end, which the operator carries out; nothing when it is gone. Another of the same name is left alone. */
    void delete(VolumeObject volume);

    /**
     * Waits until the state holds.
     *
     * @param state is asked with null when there is none of that name
     * @return as it was seen last, whether the state holds or not
     */
    VolumeObject await(String namespace, String name, Predicate<VolumeObject> state, Duration patience);
}
