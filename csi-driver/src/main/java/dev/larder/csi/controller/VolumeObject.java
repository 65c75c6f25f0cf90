package dev.larder.csi.controller;

import java.util.UUID;

/**
 * A SharedVolume as it is.
 *
 * @param uid of the object, which one of the same name made later does not share
 * @param csiName of the claim's volume that it was made for; null = no claim's, it is its own (claim: Managed)
 * @param capacityBytes that are asked for
 * @param volume its identity, or null as long as it has none
 * @param servedBytes the quota in force, 0 = none yet
 * @param ready it can be mounted
 * @param deleting its end was asked for
 * @param problem why it is not ready or not ended, for people, or null
 */
record VolumeObject(
        String namespace,
        String name,
        String uid,
        String csiName,
        VolumeSettings settings,
        long capacityBytes,
        UUID volume,
        long servedBytes,
        boolean ready,
        boolean deleting,
        String problem) {
    boolean isOfClaim() {
        return csiName != null;
    }

    /** namespace/name */
    String fullName() {
        return namespace + "/" + name;
    }

    /** For people: what to run to see more. */
    String describe() {
        return "kubectl describe sharedvolume -n " + namespace + " " + name;
    }
}
