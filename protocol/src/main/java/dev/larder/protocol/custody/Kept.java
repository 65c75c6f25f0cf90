package dev.larder.protocol.custody;

import dev.larder.linux.Descriptor;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import java.time.Duration;
import java.util.UUID;

/** A mount, as its keeper knows it. Guarded by the keeper's lock. */
final class Kept {
    private static final Duration FIRST_DELAY = Duration.ofMillis(200);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(5);

    /** What its server does. */
    enum State {
        /** There is none. */
        UNSERVED,
        /** It was asked to take the mount over. */
        ASKED,
        SERVING,
        /** It was asked to stop, for a successor. */
        RELEASING
    }

    final UUID volume;
    final Descriptor fuse;
    final byte[] negotiated;
    State state = State.UNSERVED;
    /** Null while unserved. */
    AgentLink server;
    /** Some agent has served it. */
    boolean wasServed;

    /** Failed tries to have it served, and why the last one failed. */
    int refusals;

    String refusalText;
    Refusal refusal;
    long unservedSinceNanos = System.nanoTime();
    private long retryAtNanos = System.nanoTime();
    private Duration delay = FIRST_DELAY;

    Kept(UUID volume, Descriptor fuse, byte[] negotiated) {
        this.volume = volume;
        this.fuse = fuse;
        this.negotiated = negotiated.clone();
    }

    boolean isDue(long nowNanos) {
        return state == State.UNSERVED && nowNanos - retryAtNanos >= 0;
    }

    void asked(AgentLink agent) {
        server = agent;
        state = State.ASKED;
    }

    void serving(AgentLink agent) {
        server = agent;
        state = State.SERVING;
        wasServed = true;
        refusal = null;
        refusalText = null;
        delay = FIRST_DELAY;
    }

    /** @param why null from an agent of an earlier version */
    void refused(Refusal why, String text) {
        refusals++;
        refusal = why == null ? Refusal.OTHER : why;
        refusalText = text;
        unserved();
        retryAtNanos = System.nanoTime() + delay.toNanos();
        delay = delay.multipliedBy(2).compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay.multipliedBy(2);
    }

    void unserved() {
        if (state == State.SERVING || state == State.RELEASING) {
            unservedSinceNanos = System.nanoTime();
            retryAtNanos = System.nanoTime();
        }
        server = null;
        state = State.UNSERVED;
    }
}
