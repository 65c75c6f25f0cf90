package dev.larder.csi;

import io.grpc.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the Node service does: each volume is mounted once and bound from there to the targets of pods. All calls are
 * idempotent and go by the table of mounts and {@link Stagings} alone, so a restart loses nothing.
 *
 * <p>Lock order: the caller's lock of the volume's mount, for all but unpublish; then that of its binds, here. Nobody waits
 * for an agent while he holds the second.
 */
final class NodeBinds {
    private static final Logger LOG = LoggerFactory.getLogger(NodeBinds.class);

    /** Calls that wait for agents at once. */
    private static final int MOST_WAITING = 64;

    private final NodePaths paths;
    private final NodeVolumes volumes;
    private final NodeMounts mounts;
    private final Stagings stagings;
    private final Deadlines deadlines;
    private final VolumeLocks<UUID> bindLocks;
    private final Semaphore waiting = new Semaphore(MOST_WAITING);
    private final Duration mountPatience;
    private final Duration callPatience;
    private final PublishedPods pods;
    private final NodeEvents events;

    /**
     * @param mountPatience for an agent to serve or to end a volume
     * @param callPatience for one system call that asks the volume
     */
    NodeBinds(
            NodePaths paths,
            NodeVolumes volumes,
            Stagings stagings,
            Deadlines deadlines,
            VolumeLocks<UUID> bindLocks,
            Duration mountPatience,
            Duration callPatience,
            PublishedPods pods,
            NodeEvents events) {
        this.paths = paths;
        this.volumes = volumes;
        this.stagings = stagings;
        this.mounts = new NodeMounts(paths);
        this.deadlines = deadlines;
        this.bindLocks = bindLocks;
        this.mountPatience = mountPatience;
        this.callPatience = callPatience;
        this.pods = pods;
        this.events = events;
    }

    void stage(UUID volume, Path staging, VolumeUse use, VolumeSecret secret) {
        mount(volume, use, secret);
        stagings.add(volume, staging);
        LOG.info("staged volume={} of={} staging={}", volume, secret.access().volume(), staging);
    }

    /** Needs no agent: one that lives makes durable what it has, else the mount is detached. */
    void unstage(UUID volume, Path staging) {
        Set<Path> others = stagings.of(volume);
        others.remove(staging);
        List<Path> targets = MountTable.read(paths).targets(volume);
        if (others.isEmpty() && !targets.isEmpty()) {
            throw CsiException.precondition("the volume " + volume + " is still published at " + targets.getFirst())
                    .next("kubectl get pods -A --field-selector spec.nodeName=<this node>");
        }
        if (others.isEmpty()) {
            volumes.unmount(volume, Calls.patience(mountPatience));
        }
        // Last: what is not recorded is not unstaged again.
        stagings.remove(volume, staging);
        LOG.info("unstaged volume={} staging={} stillStaged={}", volume, staging, others.size());
    }

    boolean isPublished(UUID volume, Path target) {
        return MountTable.read(paths).at(target, volume) != null;
    }

    /** What kubelet's requiresRepublish asks for: a newer Secret is adopted. Never fails and never unmounts. */
    void adopt(UUID volume, Path target, PodReference pod, Map<String, String> secret) {
        pods.published(volume, target, pod);
        try {
            volumes.refresh(volume, VolumeSecret.parse(volume, secret));
        } catch (RuntimeException e) {
            LOG.warn("the Secret was not adopted volume={} target={} cause={}", volume, target, e.getMessage());
            String what = "the newer Secret was not adopted, the volume goes on with the last one: " + e.getMessage();
            events.tell(VolumeEvent.SECRET_NOT_ADOPTED, volume, volumes.name(volume), null, what);
        }
    }

    /** @throws CsiException FAILED_PRECONDITION */
    void requireStaged(UUID volume, Path staging) {
        if (!stagings.of(volume).contains(staging)) {
            throw CsiException.precondition("the volume " + volume + " is not staged at " + staging);
        }
    }

    /** @param pod that it is for; null = not known */
    void publish(UUID volume, Path target, PodReference pod, VolumeUse use, boolean readOnly, VolumeSecret secret) {
        requireFree(volume, target, use);
        mount(volume, use, secret);
        boolean asReader = readOnly || use.readOnly();
        if (use.group() != VolumeUse.NO_GROUP && !asReader) {
            give(volume, use.group(), pod);
        }
        bind(volume, "publishing " + target, () -> mounts.publish(volume, target, asReader));
        pods.published(volume, target, pod);
        LOG.info("published volume={} target={} readOnly={}", volume, target, asReader);
    }

    /** Exclusive access is enforced there, where the volume's database is: the lease that mount takes or renews. */
    private void mount(UUID volume, VolumeUse use, VolumeSecret secret) {
        if (!waiting.tryAcquire()) {
            throw new CsiException(
                    Status.Code.UNAVAILABLE,
                    MOST_WAITING + " calls wait for the node agent already: it is tried again");
        }
        try {
            volumes.mount(volume, secret, use.exclusive(), Calls.patience(mountPatience));
        } finally {
            waiting.release();
        }
    }

    /** ReadWriteOncePod. The node's other pods are seen here, other nodes by the lease that mount(exclusive) takes. */
    private void requireFree(UUID volume, Path target, VolumeUse use) {
        List<Path> others = MountTable.read(paths).targets(volume);
        others.remove(target);
        if (use.oneTarget() && !others.isEmpty()) {
            throw CsiException.precondition("the volume " + volume
                            + " may be used by one pod at a time and is published at " + others.getFirst())
                    .next("kubectl get pods -A (the pod's uid is in that path)");
        }
    }

    private void give(UUID volume, long group, PodReference pod) {
        Path root = paths.volumeMount(volume);
        FsGroup.Outcome outcome =
                deadlines.call("fsGroup of " + root, Calls.patience(callPatience), () -> FsGroup.apply(root, group));
        switch (outcome) {
            case GIVEN -> LOG.info("the root directory was given to a group volume={} group={}", volume, group);
            case KEPT -> {
                LOG.warn("fsGroup changes nothing volume={} group={}", volume, group);
                String what = "fsGroup " + group
                        + " changes nothing: the volume's root directory has an owner, group or mode that somebody chose";
                events.tell(VolumeEvent.FS_GROUP_KEPT, volume, volumes.name(volume), pod, what);
            }
            case HAS_IT -> {}
        }
    }

    void unpublish(UUID volume, Path target) {
        bind(volume, "unpublishing " + target, () -> mounts.unpublish(volume, target));
        pods.unpublished(target);
        LOG.info("unpublished volume={} target={}", volume, target);
    }

    private void bind(UUID volume, String what, Runnable work) {
        bindLocks.with(
                volume,
                what,
                () -> deadlines.call(what, Calls.patience(callPatience), () -> {
                    work.run();
                    return null;
                }));
    }
}
