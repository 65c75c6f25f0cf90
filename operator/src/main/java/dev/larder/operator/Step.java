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

    /** Comes before its volume: a volume without it could be bound to anybody's claim of that name. */
    record MakeClaim() implements Step {}

    /** For the claim that is there, and for no other of that name. */
    record MakePersistentVolume() implements Step {}

    /** Another claim took the place of the one that it was made for. */
    record BindPersistentVolume() implements Step {}

    /** Asks for more. */
    record GrowClaim() implements Step {}
}
