package dev.larder.protocol.custody;

import dev.larder.protocol.custody.CustodyMessage.Kind;
import dev.larder.protocol.custody.Kept.State;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which agents hold which mounts, who serves each, and who is to. Guarded by the keeper's lock. */
final class Assignments {
    private static final Logger LOG = LoggerFactory.getLogger(Assignments.class);

    final Map<UUID, Kept> mounts = new LinkedHashMap<>();
    final List<AgentLink> agents = new ArrayList<>();
    /** Until it is known who serves what, nobody is asked to. */
    boolean settled;

    /** The keeper's process ends: what it holds counts no longer. */
    boolean ending;

    void add(Kept kept) {
        mounts.put(kept.volume, kept);
        agents.stream().filter(agent -> agent.ready).forEach(agent -> agent.give(kept));
    }

    /** An agent that knows of a mount that this keeper does not know has kept it for a predecessor. */
    void held(AgentLink agent, CustodyChannel.Received received) {
        CustodyMessage message = received.message();
        UUID volume = message.volume();
        Kept kept = mounts.get(volume);
        if (kept == null && received.fuse() != null && message.negotiated() != null) {
            kept = new Kept(volume, received.fuse(), message.negotiated());
            agent.holds.add(volume);
            add(kept);
        } else {
            received.close();
        }
        if (kept == null) {
            // Dropped in the meantime.
            agent.tell(Kind.DROP, volume);
            return;
        }
        agent.holds.add(volume);
        if (message.serving() && kept.server == null) {
            kept.serving(agent);
        } else if (message.serving() && kept.server != agent) {
            LOG.warn("custody: volume={} is with agent={}, agent={} must release it", volume, kept.server, agent);
            agent.tell(Kind.RELEASE, volume);
        }
    }

    void ready(AgentLink agent) {
        agent.ready = true;
        mounts.values().forEach(agent::give);
        LOG.info("custody: agent={} is ready holds={}", agent, agent.holds.size());
    }

    void moved(AgentLink agent, CustodyMessage message) {
        Kept kept = mounts.get(message.volume());
        if (kept == null || kept.server != agent) {
            return;
        }
        switch (message.kind()) {
            case SERVING -> kept.serving(agent);
            case REFUSED -> {
                LOG.warn("custody: volume={} agent={} cannot serve: {}", kept.volume, agent, message.text());
                kept.refused(message.refusal(), message.text());
            }
            default -> kept.unserved();
        }
        LOG.info("custody: volume={} agent={} {}", kept.volume, agent, message.kind());
    }

    void gone(AgentLink agent) {
        agents.remove(agent);
        mounts.values().stream().filter(kept -> kept.server == agent).forEach(Kept::unserved);
    }

    /** Mounts without a server get one, those of an agent that yields move, and who is not needed is let go. */
    void serveDue() {
        AgentLink chosen = chosen();
        if (settled && chosen != null) {
            long now = System.nanoTime();
            for (Kept kept : mounts.values()) {
                if (kept.isDue(now)) {
                    kept.asked(chosen);
                    chosen.tell(Kind.SERVE, kept.volume);
                } else if (kept.state == State.SERVING && kept.server.yielding) {
                    kept.state = State.RELEASING;
                    kept.server.tell(Kind.RELEASE, kept.volume);
                }
            }
        }
        for (AgentLink agent : agents) {
            if (agent.yielding && !agent.relieved && isDispensable(agent)) {
                agent.relieved = true;
                agent.tell(Kind.RELIEVED, null);
            }
        }
    }

    /** The one that serves most, so that all mounts are with one; else the one that came first. */
    private AgentLink chosen() {
        return agents.stream()
                .filter(AgentLink::canServe)
                .max(Comparator.comparingLong(this::served))
                .orElse(null);
    }

    private long served(AgentLink agent) {
        return mounts.values().stream().filter(kept -> kept.server == agent).count();
    }

    private boolean isDispensable(AgentLink agent) {
        return served(agent) == 0
                && agent.ready
                && (!ending || agent.holds.stream().allMatch(volume -> isHeldByAnother(volume, agent)));
    }

    boolean isHeldByAnother(UUID volume, AgentLink than) {
        return agents.stream().anyMatch(agent -> agent != than && agent.canServe() && agent.holds.contains(volume));
    }
}
