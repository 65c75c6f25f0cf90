package dev.larder.operator;

/**
 * Something that keeps a resource from being ready and that people can do something about. It becomes a condition and
 * an event; the work is tried again with back-off.
 */
final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Cause cause;

    /** @param message the thing, what is wrong with it, and what to do next */
    Problem(Cause cause, String message) {
        super(message);
        this.cause = cause;
    }

    Problem(Cause cause, String message, Throwable because) {
        super(message, because);
        this.cause = cause;
    }

    Cause why() {
        return cause;
    }

    /** Reasons of conditions and events, as they are written there. */
    enum Cause {
        NoDefaultStore(Condition.StoresReady),
        StoreNotFound(Condition.StoresReady),
        StoreNotReady(Condition.StoresReady),
        NamespaceNotAllowed(Condition.StoresReady),
        SecretNotFound(Condition.StoresReady),
        SecretIncomplete(Condition.StoresReady),
        OwnedByAnother(Condition.Provisioned),
        NotAdoptable(Condition.Provisioned),
        DatabaseFailed(Condition.Provisioned),
        ObjectStoreFailed(Condition.Provisioned),
        NameTaken(Condition.ClaimMade),
        StorageClassNotFound(Condition.ClaimMade),
        InUse(Condition.Deletable),
        ClaimInUse(Condition.Deletable);

        private final Condition condition;

        Cause(Condition condition) {
            this.condition = condition;
        }

        Condition condition() {
            return condition;
        }
    }

    /** Types of conditions, in the order in which they become true. */
    enum Condition {
        /** Both stores are there, ready, and may be used from the volume's namespace. */
        StoresReady,
        /** Database, prefix, logins and Secret are made. */
        Provisioned,
        /** PersistentVolume and claim are made; only of a managed claim. */
        ClaimMade,
        /** The claim is bound to the volume; only of a managed claim. */
        Bound,
        /** Pods can mount it. */
        Ready,
        /** Nothing keeps a deleted volume; only while it is being deleted. */
        Deletable
    }
}
