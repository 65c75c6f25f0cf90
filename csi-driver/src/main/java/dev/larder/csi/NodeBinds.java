package dev.larder.csi;

import dev.larder.linux.Mounts.MountPoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the Node service does: each volume is mounted once, bound to its staging directory, and from there to the targets of
 * pods. All calls are idempotent and go by the table of mounts alone, so a restart loses nothing. The caller holds the
 * volume's lock.
 */
final class NodeBinds {
    private static final Logger LOG = LoggerFactory.getLogger(NodeBinds.class);

    private final NodePaths paths;
    private final NodeVolumes volumes;
    private final NodeMounts mounts;
    private final Deadlines deadlines;
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
            Deadlines deadlines,
            Duration mountPatience,
            Duration callPatience,
            PublishedPods pods,
            NodeEvents events) {
        this.paths = paths;
        this.volumes = volumes;
        this.mounts = new NodeMounts(paths);
        this.deadlines = deadlines;
        this.mountPatience = mountPatience;
        this.callPatience = callPatience;
        this.pods = pods;
        this.events = events;
    }

    void stage(UUID volume, Path staging, VolumeUse use, VolumeSecret secret) {
        volumes.mount(volume, secret, use.exclusive(), Calls.patience(mountPatience));
        within("staging " + staging, () -> mounts.stage(volume, staging));
        LOG.info("staged volume={} of={} staging={}", volume, secret.access().volume(), staging);
    }

    /** Needs no agent: one that lives makes durable what it has, else the mount is detached. */
    void unstage(UUID volume, Path staging) {
        MountTable table = MountTable.read(paths);
        List<Path> others = table.stagings(volume);
        others.remove(staging);
        List<Path> targets = table.targets(volume);
        if (others.isEmpty() && !targets.isEmpty()) {
            throw CsiException.precondition("the volume " + volume + " is still published at " + targets.getFirst())
                    .next("kubectl get pods -A --field-selector spec.nodeName=<this node>");
        }
        within("unstaging " + staging, () -> mounts.unbind(volume, staging));
        if (others.isEmpty()) {
            volumes.unmount(volume, Calls.patience(mountPatience));
        }
        LOG.info("unstaged volume={} staging={} stillStaged={}", volume, staging, others.size());
    }

    boolean isPublished(UUID volume, Path target) {
        return MountTable.read(paths).at(target, volume) != null;
    }

    /** What kubelet's requiresRepublish asks for: a newer Secret is adopted. Never fails and never unmounts. */
    void publishAgain(UUID volume, Path target, PodReference pod, Map<String, String> secret) {
        pods.published(volume, target, pod);
        try {
            volumes.refresh(volume, VolumeSecret.parse(volume, secret));
        } catch (RuntimeException e) {
            LOG.warn("the Secret was not adopted volume={} target={} cause={}", volume, target, e.getMessage());
            String what = "the newer Secret was not adopted, the volume goes on with the last one: " + e.getMessage();
            events.tell(VolumeEvent.SECRET_NOT_ADOPTED, volume, volumes.name(volume), null, what);
        }
    }

    /** @param pod that it is for; null = not known */
    void publish(
            UUID volume,
            Path staging,
            Path target,
            PodReference pod,
            VolumeUse use,
            boolean readOnly,
            VolumeSecret secret) {
        MountTable table = MountTable.read(paths);
        requireStaged(table, volume, staging);
        requireFree(table, volume, target, use);
        volumes.mount(volume, secret, use.exclusive(), Calls.patience(mountPatience));
        boolean asReader = readOnly || use.readOnly();
        if (use.group() != VolumeUse.NO_GROUP && !asReader) {
            give(volume, use.group(), pod);
        }
        within("publishing " + target, () -> {
            mounts.stage(volume, staging);
            mounts.publish(volume, staging, target, asReader);
        });
        pods.published(volume, target, pod);
        LOG.info("published volume={} target={} readOnly={}", volume, target, asReader);
    }

    private void requireStaged(MountTable table, UUID volume, Path staging) {
        MountPoint staged = table.at(staging, volume);
        if (staged == null) {
            throw CsiException.precondition("the volume " + volume + " is not staged at " + staging);
        }
    }

    /** ReadWriteOncePod. The node's other pods are seen here, other nodes by the lease that mount(exclusive) takes. */
    private void requireFree(MountTable table, UUID volume, Path target, VolumeUse use) {
        List<Path> others = table.targets(volume);
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
        within("unpublishing " + target, () -> mounts.unpublish(volume, target));
        pods.unpublished(target);
        LOG.info("unpublished volume={} target={}", volume, target);
    }

    private void within(String what, Runnable work) {
        deadlines.call(what, Calls.patience(callPatience), () -> {
            work.run();
            return null;
        });
    }
}
