package dev.larder.protocol.custody;

import dev.larder.protocol.custody.CustodyMessage.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An agent's connection with the keeper, made again whenever it breaks: a keeper may be replaced at any time. */
public final class KeeperLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KeeperLink.class);
    private static final Duration TICK = Duration.ofMillis(100);
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final Path socket;
    private final String name;
    private final Holder holder;
    private final Thread thread;
    private volatile CustodyChannel channel;
    private volatile boolean ready;
    private volatile boolean yielding;
    private volatile boolean closed;

    /**
     * Connects in the background.
     *
     * @param name of this agent, for people
     */
    public KeeperLink(Path socket, String name, Holder holder) {
        this.socket = socket;
        this.name = name;
        this.holder = holder;
        this.thread = Thread.ofPlatform().name("custody").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    /** A keeper is there and knows what this agent holds. */
    public boolean isConnected() {
        return ready;
    }

    /** Not lost when no keeper is there: on the next connection everything held is told anew. */
    public void tell(CustodyMessage message) {
        CustodyChannel to = channel;
        if (to == null) {
            return;
        }
        try {
            to.send(message);
        } catch (IOException e) {
            LOG.warn("custody: {}", e.getMessage());
        }
    }

    /** This agent is asked to end: {@link Holder#relieved} is called when it may. */
    public void yieldUp() {
        yielding = true;
        tell(CustodyMessage.of(Kind.YIELD, null));
    }

    private void run() {
        boolean told = false;
        while (!closed) {
            try (CustodyChannel connected = CustodyChannel.connect(socket)) {
                told = false;
                // Before what is held is listed: what changes from now on is told, or asked for again.
                channel = connected;
                introduce(connected);
                ready = true;
                if (yielding) {
                    tell(CustodyMessage.of(Kind.YIELD, null));
                }
                while (!closed) {
                    obey(connected);
                }
            } catch (IOException | RuntimeException e) {
                if (!told) {
                    LOG.warn("custody: no keeper at {}: {}", socket, e.getMessage());
                    told = true;
                }
            } finally {
                ready = false;
                channel = null;
            }
            pause();
        }
    }

    private void introduce(CustodyChannel to) throws IOException {
        to.send(CustodyMessage.of(Kind.HELLO, null, name));
        for (Holder.Holding held : holder.holdings()) {
            to.send(
                    new CustodyMessage(Kind.HELD, held.volume(), held.negotiated(), held.serving(), null, null),
                    held.fuse());
        }
        to.send(CustodyMessage.of(Kind.READY, null));
        LOG.info("custody: connected with the keeper pid={}", to.peer().pid());
    }

    private void obey(CustodyChannel from) throws IOException {
        CustodyChannel.Received received = from.receive(TICK);
        if (received == null) {
            return;
        }
        CustodyMessage message = received.message();
        switch (message.kind()) {
            case HOLD -> {
                if (received.fuse() == null) {
                    throw new IOException("HOLD without a descriptor");
                }
                holder.hold(message.volume(), received.fuse(), message.negotiated());
                from.send(CustodyMessage.of(Kind.HELD, message.volume()));
            }
            case SERVE -> holder.serve(message.volume());
            case RELEASE -> holder.release(message.volume());
            case DROP -> holder.drop(message.volume());
            case RELIEVED -> holder.relieved();
            default -> {
                received.close();
                LOG.warn("custody: the keeper says {}, which this version does not know", message.kind());
            }
        }
    }

    private void pause() {
        try {
            Thread.sleep(TICK);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            closed = true;
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join(CLOSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
