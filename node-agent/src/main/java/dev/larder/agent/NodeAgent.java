package dev.larder.agent;

import dev.larder.linux.Descriptor;
import dev.larder.protocol.custody.CustodyMessage;
import dev.larder.protocol.custody.CustodyMessage.Kind;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import dev.larder.protocol.custody.Holder;
import dev.larder.protocol.custody.KeeperLink;
import dev.larder.volume.metadata.ConnectionBudget;
import dev.larder.volume.objects.MemoryBudget;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves all volumes of a node. csi-node mounts and says what is to be served; the records of the volumes are in the run
 * directory. Several agents may run on a node: they hold the same descriptors, and one of them serves.
 */
final class NodeAgent implements Holder, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeAgent.class);
    private static final Duration LAST_MOMENT = Duration.ofSeconds(10);
    private static final Duration HAND_OVER = Duration.ofSeconds(40);

    private final NodeAgentOptions options;
    private final AgentResources resources;
    private final MeterRegistry registry;
    private final KeeperLink keeper;
    private final Map<UUID, NodeMount> mounts = new ConcurrentHashMap<>();
    private final CountDownLatch relieved = new CountDownLatch(1);

    NodeAgent(NodeAgentOptions options, MeterRegistry registry) {
        this.options = options;
        this.registry = registry;
        this.resources = options.resources();
        registry.gauge("larder_database_connections", resources.connections(), ConnectionBudget::open);
        registry.gauge("larder_transfer_memory_bytes", resources.transferMemory(), MemoryBudget::usedBytes);
        this.keeper = new KeeperLink(
                options.runDirectory().resolve("custody.sock"),
                options.name() + " pid " + ProcessHandle.current().pid(),
                this);
        keeper.start();
    }

    /** Why it could not serve everything now: it must be connected with the keeper and hold what that keeps; or null. */
    String obstacle() {
        return keeper.isConnected() ? null : "not connected with csi-node";
    }

    /** Those that it serves. */
    List<ServedMount> served() {
        return mounts.values().stream()
                .map(NodeMount::served)
                .filter(one -> one != null)
                .toList();
    }

    @Override
    public List<Holding> holdings() {
        return mounts.values().stream().map(NodeMount::holding).toList();
    }

    @Override
    public void hold(UUID volume, Descriptor fuse, byte[] negotiated) {
        Path directory = options.runDirectory().resolve("volumes").resolve(volume.toString());
        NodeMount mount = new NodeMount(volume, fuse, negotiated, directory, options, resources, registry);
        if (mounts.putIfAbsent(volume, mount) != null) {
            fuse.close();
        }
    }

    @Override
    public void serve(UUID volume) {
        NodeMount mount = mounts.get(volume);
        if (mount == null) {
            keeper.tell(CustodyMessage.refused(volume, Refusal.OTHER, "this agent does not hold it"));
            return;
        }
        mount.run(() -> keeper.tell(mount.serve()));
    }

    @Override
    public void release(UUID volume) {
        NodeMount mount = mounts.get(volume);
        if (mount == null) {
            keeper.tell(CustodyMessage.of(Kind.RELEASED, volume));
        } else {
            mount.run(() -> {
                mount.release();
                keeper.tell(CustodyMessage.of(Kind.RELEASED, volume));
            });
        }
    }

    @Override
    public void drop(UUID volume) {
        NodeMount mount = mounts.get(volume);
        if (mount == null) {
            keeper.tell(CustodyMessage.of(Kind.DROPPED, volume));
        } else {
            mount.run(() -> {
                String failure = mount.end();
                mounts.remove(volume, mount);
                keeper.tell(CustodyMessage.of(Kind.DROPPED, volume, failure));
            });
        }
    }

    @Override
    public void relieved() {
        relieved.countDown();
    }

    /**
     * SIGTERM: serves on until a successor does; without one in time, leaves all that it serves in order, for a later one.
     */
    void yieldUp() {
        LOG.info("asked to end: waiting for a successor mounts={}", mounts.size());
        keeper.yieldUp();
        try {
            if (relieved.await(options.grace().minus(HAND_OVER).toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.info("relieved");
                return;
            }
            LOG.warn("no successor came: the volumes wait for the next agent");
            mounts.keySet().forEach(this::release);
            if (!relieved.await(HAND_OVER.minus(LAST_MOMENT).toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.error(
                        "csi-node did not say that it keeps the mounts: those that it does not keep end with this process");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        keeper.close();
        mounts.values().forEach(NodeMount::close);
    }
}
