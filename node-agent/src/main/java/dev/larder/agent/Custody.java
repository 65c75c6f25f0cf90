package dev.larder.agent;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.Processes;
import dev.larder.linux.UnixSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a FUSE descriptor reaches the agent that serves it. The keeper hands out a duplicate and the negotiated INIT record
 * to whoever connects as its own user; the agent says when it serves and keeps the connection while it lives. A mount
 * lives as long as either of them.
 */
final class Custody {
    private static final Logger LOG = LoggerFactory.getLogger(Custody.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration TICK = Duration.ofMillis(200);
    private static final byte[] SERVING = "serving".getBytes(StandardCharsets.US_ASCII);

    private Custody() {}

    /** The side that never serves. */
    static final class Keeper implements AutoCloseable {
        private final UnixSocket socket;
        private final Descriptor fuse;
        private final byte[] negotiated;
        private final Thread thread;
        private volatile boolean closed;
        private volatile boolean served;

        Keeper(Path path, Descriptor fuse, byte[] negotiated) {
            this.fuse = fuse;
            this.negotiated = negotiated.clone();
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            this.socket = UnixSocket.listen(path, 4);
            this.thread = Thread.ofPlatform().name("custody").daemon().start(this::accept);
        }

        /** An agent has served this mount at least once. */
        boolean served() {
            return served;
        }

        private void accept() {
            while (!closed) {
                try (UnixSocket agent = socket.accept(TICK)) {
                    if (agent != null) {
                        handOut(agent);
                    }
                } catch (LinuxException e) {
                    if (!closed) {
                        LOG.warn("custody: an agent's connection failed: {}", e.getMessage());
                    }
                }
            }
        }

        // One agent at a time: the next one waits in the backlog until its predecessor's end of the socket is closed.
        private void handOut(UnixSocket agent) {
            UnixSocket.Peer peer = agent.peer();
            if (peer.uid() != Processes.effectiveUser()) {
                LOG.warn("custody: refused pid={} uid={}", peer.pid(), peer.uid());
                return;
            }
            agent.send(negotiated, List.of(fuse), PATIENCE);
            LOG.info("custody: descriptor handed to agent pid={}", peer.pid());
            while (!closed) {
                UnixSocket.Message message = agent.receive(TICK);
                if (message == null) {
                    continue;
                }
                message.closeDescriptors();
                if (message.bytes().length == 0) {
                    return;
                }
                served = true;
            }
        }

        @Override
        public void close() {
            closed = true;
            try {
                thread.join(PATIENCE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            socket.close();
        }
    }

    /** What an agent holds while it serves. */
    record Held(UnixSocket keeper, Descriptor fuse, byte[] negotiated) implements AutoCloseable {
        /** Requests are answered from now on. */
        void serving() {
            keeper.send(SERVING, List.of(), PATIENCE);
        }

        @Override
        public void close() {
            keeper.close();
            fuse.close();
        }
    }

    /** Collects the descriptor from the keeper, which waits for a predecessor's death first. */
    static Held collect(Path path) throws IOException {
        UnixSocket keeper = UnixSocket.connect(path);
        UnixSocket.Message message = keeper.receive(PATIENCE);
        if (message == null || message.descriptors().size() != 1) {
            keeper.close();
            throw new IOException("the supervisor did not hand over the mount's descriptor within "
                    + PATIENCE.toSeconds() + " s: another agent may still serve it");
        }
        return new Held(keeper, message.descriptors().getFirst(), message.bytes());
    }
}
