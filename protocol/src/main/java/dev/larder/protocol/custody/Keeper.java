package dev.larder.protocol.custody;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.Processes;
import dev.larder.linux.UnixSocket;
import dev.larder.protocol.custody.CustodyMessage.Kind;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import dev.larder.protocol.custody.Kept.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the FUSE descriptors of mounts and has agents serve them. It never serves a request and never touches a mount.
 * Agents connect; each gets a duplicate of every descriptor, one of them serves. When that one dies, yields or refuses,
 * another one is asked. A keeper that starts anew collects from the agents what its predecessor kept.
 *
 * <p>Any thread may call. Under the one lock messages are sent, which takes moments: an agent that takes none is given up.
 */
public final class Keeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);
    private static final Duration TICK = Duration.ofMillis(100);
    private static final Duration CLOSE = Duration.ofSeconds(10);
    private static final int MOST_AGENTS = 8;

    private final UnixSocket socket;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Assignments assignments = new Assignments();
    private final Map<UUID, Kept> mounts = assignments.mounts;
    private final List<AgentLink> agents = assignments.agents;
    private final Semaphore connections = new Semaphore(MOST_AGENTS);
    private volatile boolean closed;
    private final Thread accepting;

    /** Listens; agents that a predecessor had connect again within moments. */
    public Keeper(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.socket = UnixSocket.listen(path, MOST_AGENTS);
        this.accepting = Thread.ofPlatform().name("custody").daemon().start(this::accept);
    }

    /** How a wait for a served mount ended. */
    public enum Outcome {
        SERVED,
        /** The agent could not; it is asked again. */
        REFUSED,
        /** No agent is connected that serves. */
        NO_AGENT,
        TIMEOUT,
        /** The mount is not kept here. */
        UNKNOWN
    }

    /**
     * @param refusal of REFUSED, else null
     * @param text why, for people; null = no more is known
     */
    public record Answer(Outcome outcome, Refusal refusal, String text) {
        private static Answer of(Outcome outcome) {
            return new Answer(outcome, null, null);
        }
    }

    /**
     * @param agents connected ones
     * @param staying those of them that are not about to end
     * @param unserved for how long nobody has served it, of those that nobody does
     */
    public record Health(int agents, int staying, int mounts, int served, Map<UUID, Duration> unserved) {}

    /**
     * Waits until it is known who serves the mounts that were there before this keeper, then has the rest served.
     *
     * @param expected mounts that are there, by the table of mounts
     * @return those of them that no agent holds: they are dead
     */
    public Set<UUID> collect(Set<UUID> expected, Duration patience) {
        lock.lock();
        try {
            await(
                    patience,
                    () -> expected.stream()
                            .allMatch(
                                    volume -> mounts.containsKey(volume) && mounts.get(volume).state == State.SERVING));
            assignments.settled = true;
            assignments.serveDue();
            List<UUID> dead = expected.stream()
                    .filter(volume -> !mounts.containsKey(volume))
                    .toList();
            LOG.info("custody: collected mounts={} dead={} agents={}", mounts.size(), dead, agents);
            return Set.copyOf(dead);
        } finally {
            lock.unlock();
        }
    }

    /** Takes a new mount over, whose INIT has been answered, and has it served. */
    public void keep(UUID volume, Descriptor fuse, byte[] negotiated) {
        lock.lock();
        try {
            if (mounts.containsKey(volume)) {
                throw new IllegalStateException("volume " + volume + " is kept already");
            }
            assignments.add(new Kept(volume, fuse, negotiated));
            changed.signalAll();
            assignments.serveDue();
        } finally {
            lock.unlock();
        }
    }

    /** What is kept here. */
    public Set<UUID> mounts() {
        lock.lock();
        try {
            return Set.copyOf(mounts.keySet());
        } finally {
            lock.unlock();
        }
    }

    /** What is served at this moment. */
    public Set<UUID> served() {
        lock.lock();
        try {
            return mounts.values().stream()
                    .filter(kept -> kept.state == State.SERVING)
                    .map(kept -> kept.volume)
                    .collect(Collectors.toUnmodifiableSet());
        } finally {
            lock.unlock();
        }
    }

    /** An agent has served the mount since it is kept here. */
    public boolean wasServed(UUID volume) {
        lock.lock();
        try {
            Kept kept = mounts.get(volume);
            return kept != null && kept.wasServed;
        } finally {
            lock.unlock();
        }
    }

    /** Returns when the mount is served, when an agent refused it since the call, or when the time is over. */
    public Answer awaitServed(UUID volume, Duration patience) {
        lock.lock();
        try {
            Kept kept = mounts.get(volume);
            if (kept == null) {
                return Answer.of(Outcome.UNKNOWN);
            }
            int before = kept.refusals;
            await(patience, () -> kept.state == State.SERVING || kept.refusals > before || mounts.get(volume) != kept);
            if (kept.state == State.SERVING) {
                return Answer.of(Outcome.SERVED);
            }
            if (kept.refusal != null) {
                return new Answer(Outcome.REFUSED, kept.refusal, kept.refusalText);
            }
            boolean served = agents.stream().anyMatch(AgentLink::canServe);
            return Answer.of(served ? Outcome.TIMEOUT : Outcome.NO_AGENT);
        } finally {
            lock.unlock();
        }
    }

    /**
     * The mount has ended, or is to: nobody keeps it any more. Waits until its server has ended the session.
     *
     * @return what could not be ended well, or null
     */
    public String drop(UUID volume, Duration patience) {
        lock.lock();
        try {
            Kept kept = mounts.remove(volume);
            if (kept == null) {
                return null;
            }
            AgentLink server = kept.server;
            for (AgentLink agent : agents) {
                if (agent.given.remove(volume) || agent.holds.contains(volume)) {
                    agent.tell(Kind.DROP, volume);
                }
            }
            kept.fuse.close();
            if (server == null) {
                return null;
            }
            boolean ended = await(patience, () -> !server.holds.contains(volume) || !agents.contains(server));
            return ended ? server.dropped.remove(volume) : "agent " + server + " did not end the session in time";
        } finally {
            lock.unlock();
        }
    }

    /**
     * Before this process ends: waits until an agent that stays has acknowledged every descriptor.
     *
     * @return true when nothing depends on this process any more
     */
    public boolean awaitRelieved(Duration patience) {
        lock.lock();
        try {
            assignments.ending = true;
            return await(
                    patience,
                    () -> mounts.keySet().stream().allMatch(volume -> assignments.isHeldByAnother(volume, null)));
        } finally {
            lock.unlock();
        }
    }

    public Health health() {
        lock.lock();
        try {
            long now = System.nanoTime();
            Map<UUID, Duration> unserved = new LinkedHashMap<>();
            mounts.values().stream()
                    .filter(kept -> kept.state == State.UNSERVED || kept.state == State.ASKED)
                    .forEach(kept -> unserved.put(kept.volume, Duration.ofNanos(now - kept.unservedSinceNanos)));
            int staying = (int) agents.stream().filter(AgentLink::canServe).count();
            return new Health(agents.size(), staying, mounts.size(), mounts.size() - unserved.size(), unserved);
        } finally {
            lock.unlock();
        }
    }

    private boolean await(Duration patience, BooleanSupplier done) {
        long left = patience.toNanos();
        try {
            while (!done.getAsBoolean()) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    // What agents say.

    private void accept() {
        while (!closed) {
            try {
                UnixSocket agent = socket.accept(TICK);
                if (agent != null) {
                    welcome(agent);
                }
                tick();
            } catch (LinuxException e) {
                if (!closed) {
                    LOG.warn("custody: an agent's connection failed: {}", e.getMessage());
                }
            }
        }
    }

    private void welcome(UnixSocket connection) {
        UnixSocket.Peer peer = connection.peer();
        if (peer.uid() != Processes.effectiveUser() || !connections.tryAcquire()) {
            LOG.warn("custody: refused pid={} uid={} agents={}", peer.pid(), peer.uid(), MOST_AGENTS);
            connection.close();
            return;
        }
        AgentLink agent = new AgentLink(new CustodyChannel(connection), "pid " + peer.pid());
        Thread.ofPlatform().name("custody-agent").daemon().start(() -> listen(agent));
    }

    private void listen(AgentLink agent) {
        lock.lock();
        try {
            agents.add(agent);
        } finally {
            lock.unlock();
        }
        String end = "its connection is closed here";
        try (CustodyChannel channel = agent.channel) {
            while (!closed && !isBroken(agent)) {
                CustodyChannel.Received received = channel.receive(TICK);
                if (received != null) {
                    take(agent, received);
                }
            }
        } catch (IOException | RuntimeException e) {
            end = e.getMessage();
        } finally {
            gone(agent, end);
            connections.release();
        }
    }

    private boolean isBroken(AgentLink agent) {
        lock.lock();
        try {
            return agent.broken;
        } finally {
            lock.unlock();
        }
    }

    private void take(AgentLink agent, CustodyChannel.Received received) throws IOException {
        CustodyMessage message = received.message();
        lock.lock();
        try {
            switch (message.kind()) {
                case HELLO -> agent.name = message.text();
                case HELD -> assignments.held(agent, received);
                case READY -> assignments.ready(agent);
                case SERVING, REFUSED, RELEASED -> assignments.moved(agent, message);
                case DROPPED -> {
                    agent.holds.remove(message.volume());
                    if (message.text() != null) {
                        agent.dropped.put(message.volume(), message.text());
                    }
                }
                case YIELD -> {
                    LOG.info("custody: agent={} yields", agent);
                    agent.yielding = true;
                }
                case HOLD, SERVE, RELEASE, DROP, RELIEVED ->
                    throw new IOException("an agent does not say " + message.kind());
                case UNKNOWN -> LOG.warn("custody: agent={} says what this version does not know", agent);
            }
            assignments.serveDue();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void gone(AgentLink agent, String why) {
        lock.lock();
        try {
            assignments.gone(agent);
            LOG.info("custody: agent={} is gone: {}", agent, why);
            assignments.serveDue();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void tick() {
        lock.lock();
        try {
            assignments.serveDue();
        } finally {
            lock.unlock();
        }
    }

    /** Closes this process's descriptors: mounts live on where an agent holds them. */
    @Override
    public void close() {
        closed = true;
        lock.lock();
        try {
            changed.signalAll();
            await(CLOSE, agents::isEmpty);
        } finally {
            lock.unlock();
        }
        try {
            accepting.join(CLOSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        socket.close();
        lock.lock();
        try {
            mounts.values().forEach(kept -> kept.fuse.close());
            mounts.clear();
        } finally {
            lock.unlock();
        }
    }
}
