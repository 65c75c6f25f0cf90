package dev.larder.protocol.custody;

import dev.larder.linux.Descriptor;
import dev.larder.protocol.custody.CustodyMessage.Kind;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Holds descriptors and serves none. Serving means to be in {@link Node#serving}, which nobody may enter twice: the cache
 * directory's lock in a real agent.
 */
final class FakeAgent implements Holder, AutoCloseable {
    /** What all agents of a node share. */
    static final class Node {
        final Map<UUID, FakeAgent> serving = new ConcurrentHashMap<>();
        final Set<UUID> refused = ConcurrentHashMap.newKeySet();
        final Set<UUID> heldElsewhere = ConcurrentHashMap.newKeySet();
    }

    final CountDownLatch relieved = new CountDownLatch(1);
    final KeeperLink link;
    private final Node node;
    private final Map<UUID, Holding> held = new ConcurrentHashMap<>();
    private final ExecutorService work =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private volatile boolean dead;

    FakeAgent(Path socket, String name, Node node) {
        this.node = node;
        this.link = new KeeperLink(socket, name, this);
        link.start();
    }

    boolean serves(UUID volume) {
        return node.serving.get(volume) == this;
    }

    Descriptor descriptor(UUID volume) {
        return held.get(volume).fuse();
    }

    Set<UUID> held() {
        return Set.copyOf(held.keySet());
    }

    @Override
    public List<Holding> holdings() {
        List<Holding> all = new ArrayList<>();
        held.forEach((volume, one) -> all.add(new Holding(volume, one.fuse(), one.negotiated(), serves(volume))));
        return all;
    }

    @Override
    public void hold(UUID volume, Descriptor fuse, byte[] negotiated) {
        if (held.putIfAbsent(volume, new Holding(volume, fuse, negotiated, false)) != null) {
            fuse.close();
        }
    }

    @Override
    public void serve(UUID volume) {
        work.execute(() -> {
            if (dead) {
                return;
            }
            if (!held.containsKey(volume)) {
                tell(Kind.REFUSED, volume, "not held");
            } else if (node.refused.contains(volume)) {
                // as an agent of an earlier version
                tell(Kind.REFUSED, volume, "the database does not answer");
            } else if (node.heldElsewhere.contains(volume)) {
                link.tell(CustodyMessage.refused(volume, Refusal.HELD_ELSEWHERE, "node n1 has it"));
            } else {
                FakeAgent other = node.serving.putIfAbsent(volume, this);
                tell(other == null || other == this ? Kind.SERVING : Kind.REFUSED, volume, "served by another");
            }
        });
    }

    @Override
    public void release(UUID volume) {
        work.execute(() -> {
            node.serving.remove(volume, this);
            tell(Kind.RELEASED, volume, null);
        });
    }

    @Override
    public void drop(UUID volume) {
        work.execute(() -> {
            node.serving.remove(volume, this);
            Holding had = held.remove(volume);
            if (had != null) {
                had.fuse().close();
            }
            tell(Kind.DROPPED, volume, null);
        });
    }

    private void tell(Kind kind, UUID volume, String text) {
        link.tell(CustodyMessage.of(kind, volume, text));
    }

    @Override
    public void relieved() {
        relieved.countDown();
    }

    /** As the kernel does it for a process that dies: everything is closed at once, nothing is said. */
    @Override
    public void close() {
        dead = true;
        work.shutdownNow();
        link.close();
        node.serving.values().removeIf(agent -> agent == this);
        held.values().forEach(one -> one.fuse().close());
        held.clear();
    }
}
