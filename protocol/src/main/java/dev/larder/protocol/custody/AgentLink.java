package dev.larder.protocol.custody;

import dev.larder.linux.Descriptor;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An agent, as the keeper knows it while it is connected. Guarded by the keeper's lock. */
final class AgentLink {
    private static final Logger LOG = LoggerFactory.getLogger(AgentLink.class);

    final CustodyChannel channel;
    /** Mounts that it has acknowledged, or told, to hold. */
    final Set<UUID> holds = new HashSet<>();
    /** Mounts whose descriptor was sent to it. */
    final Set<UUID> given = new HashSet<>();

    /** What could not be ended well of mounts that it dropped. */
    final Map<UUID, String> dropped = new HashMap<>();

    String name;
    /** It has said what it holds. */
    boolean ready;
    /** It wants to end. */
    boolean yielding;

    /** It was told that it may. */
    boolean relieved;

    /** Nothing can be sent any more. */
    boolean broken;

    AgentLink(CustodyChannel channel, String name) {
        this.channel = channel;
        this.name = name;
    }

    boolean canServe() {
        return ready && !yielding;
    }

    void tell(CustodyMessage.Kind kind, UUID volume) {
        tell(CustodyMessage.of(kind, volume), null);
    }

    void give(Kept kept) {
        if (given.add(kept.volume) && !holds.contains(kept.volume)) {
            tell(
                    new CustodyMessage(CustodyMessage.Kind.HOLD, kept.volume, kept.negotiated, false, null, null),
                    kept.fuse);
        }
    }

    /** A connection that takes nothing is at its end: its reader closes it. */
    private void tell(CustodyMessage message, Descriptor fuse) {
        try {
            channel.send(message, fuse);
        } catch (IOException e) {
            LOG.warn("custody: agent={} {}", name, e.getMessage());
            broken = true;
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
