package dev.larder.operator;

import dev.larder.schema.VolumeLogins.Side;

/** One thing to do for a volume. Each may be repeated, also after it was broken off half-way. */
sealed interface Step {
    /** Enters the volume in the server's registry, or takes a deleted one over. */
    record Enter() implements Step {}

    /** Makes what is missing of database and roles, and migrates. */
    record MakeDatabase() implements Step {}

    /** Makes the tables for objects. */
    record MakeObjectTables() implements Step {}

    /** Sets quotas and the time of the trash. */
    record SetLimits() implements Step {}

    /** Writes the owner's record beside the volume's folder. */
    record OwnPrefix() implements Step {}

    /**
     * Writes the Secret.
     *
     * @param side the login it is to name
     * @param newPassword whether it gets another password
     * @param newKeys whether it gets other keys of the object store
     */
    record WriteSecret(Side side, boolean newPassword, boolean newKeys) implements Step {}

    /** Gives the Secret's login the Secret's password. */
    record EnableLogin() implements Step {}

    /** Nobody uses it any more. */
    record DisableLogin(Side side) implements Step {}

    record MakePersistentVolume() implements Step {}

    /** The claim is gone, so the volume waits for the next of that name. */
    record ReleasePersistentVolume() implements Step {}

    record MakeClaim() implements Step {}

    /** Asks for more. */
    record GrowClaim() implements Step {}
}
