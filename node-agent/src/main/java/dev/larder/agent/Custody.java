package dev.larder.agent;

import dev.larder.linux.Descriptor;
import dev.larder.protocol.custody.CustodyMessage;
import dev.larder.protocol.custody.CustodyMessage.Kind;
import dev.larder.protocol.custody.Holder;
import dev.larder.protocol.custody.KeeperLink;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** How the agent of one mount gets its descriptor from the supervisor, which keeps it. */
final class Custody implements Holder, AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final UUID volume;
    private final KeeperLink keeper;
    private final CompletableFuture<Void> asked = new CompletableFuture<>();
    private volatile Holding held;
    private volatile boolean serving;

    private Custody(Path socket, UUID volume) {
        this.volume = volume;
        this.keeper = new KeeperLink(socket, "pid " + ProcessHandle.current().pid(), this);
    }

    /** Returns when this agent is asked to serve; the supervisor waits for a predecessor's death first. */
    static Custody collect(Path socket, UUID volume) throws IOException {
        Custody custody = new Custody(socket, volume);
        custody.keeper.start();
        try {
            custody.asked.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            return custody;
        } catch (TimeoutException | ExecutionException e) {
            custody.close();
            throw new IOException(
                    "the supervisor did not hand over the mount's descriptor within " + PATIENCE.toSeconds()
                            + " s: another agent may still serve it",
                    e);
        } catch (InterruptedException e) {
            custody.close();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    Descriptor fuse() {
        return held.fuse();
    }

    /** The INIT record. */
    byte[] negotiated() {
        return held.negotiated();
    }

    /** Requests are answered from now on. */
    void serving() {
        serving = true;
        keeper.tell(CustodyMessage.of(Kind.SERVING, volume));
    }

    @Override
    public List<Holding> holdings() {
        Holding one = held;
        return one == null ? List.of() : List.of(new Holding(volume, one.fuse(), one.negotiated(), serving));
    }

    @Override
    public void hold(UUID mount, Descriptor fuse, byte[] negotiated) {
        if (held == null) {
            held = new Holding(mount, fuse, negotiated, false);
        } else {
            fuse.close();
        }
    }

    @Override
    public void serve(UUID mount) {
        if (serving) {
            keeper.tell(CustodyMessage.of(Kind.SERVING, volume));
        }
        asked.complete(null);
    }

    /** A supervisor has one agent at a time, and ends it by a signal. */
    @Override
    public void release(UUID mount) {
        throw new IllegalStateException("a supervisor asks for no release");
    }

    @Override
    public void drop(UUID mount) {
        keeper.tell(CustodyMessage.of(Kind.DROPPED, mount));
    }

    @Override
    public void relieved() {
        throw new IllegalStateException("this agent did not ask to be relieved");
    }

    @Override
    public void close() {
        keeper.close();
        Holding one = held;
        if (one != null) {
            one.fuse().close();
        }
    }
}
