package dev.larder.csi.cluster;

import dev.larder.csi.NodeVolumes;
import dev.larder.csi.NodeVolumes.Mounted;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlClient;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.MountStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the agent of each volume that is served here. Nothing that it asks for reaches a database or a store. */
final class CacheObserver {
    private static final Logger LOG = LoggerFactory.getLogger(CacheObserver.class);

    /** Of people: more names than these are only counted. */
    private static final int MOST_NAMES = 5;

    private final NodeVolumes volumes;
    private final String lookThere;
    private final Duration patience;

    /** @param patience with one agent's silence */
    CacheObserver(NodeVolumes volumes, String node, Duration patience) {
        this.volumes = volumes;
        this.patience = patience;
        this.lookThere = "; next: kubectl get pods -A -l app.kubernetes.io/component=node-agent --field-selector"
                + " spec.nodeName=" + node;
    }

    CacheSnapshot observe() {
        int agents = volumes.agents();
        List<Mounted> mounted = volumes.mounted();
        SortedMap<String, CacheSnapshot.Share> shares = new TreeMap<>();
        List<String> silent = new ArrayList<>();
        List<String> unserved = new ArrayList<>();
        long capacity = 0;
        for (Mounted volume : mounted) {
            if (!volume.served()) {
                unserved.add(volume.name());
                continue;
            }
            try (ControlClient agent = ControlClient.connect(volume.controlSocket())) {
                Answers.Cache cache = ask(agent, Command.CACHE, Map.of("limit", 0), Answers.Cache.class);
                MountStatus status = ask(agent, Command.STATUS, Map.of(), MountStatus.class);
                capacity = Math.max(capacity, cache.capacityBytes());
                shares.put(volume.id().toString(), share(volume, cache, status));
            } catch (IOException | ControlClient.AgentFailure e) {
                LOG.debug("no answer volume={} cause={}", volume.id(), e.getMessage());
                silent.add(volume.name());
            }
        }
        long used = shares.values().stream()
                .mapToLong(CacheSnapshot.Share::cachedBytes)
                .sum();
        return snapshot(agents, mounted.size(), unserved, silent, capacity, used, shares);
    }

    private <T> T ask(ControlClient agent, Command command, Map<String, ?> arguments, Class<T> answer)
            throws IOException, ControlClient.AgentFailure {
        return agent.ask(command, arguments, answer, patience, progress -> {});
    }

    private static CacheSnapshot.Share share(Mounted volume, Answers.Cache cache, MountStatus status) {
        return new CacheSnapshot.Share(
                volume.name(), cache.usedBytes(), cache.hitBytes(), cache.missBytes(), status.uploadsPendingBytes());
    }

    private CacheSnapshot snapshot(
            int agents,
            int mounted,
            List<String> unserved,
            List<String> silent,
            long capacity,
            long used,
            SortedMap<String, CacheSnapshot.Share> shares) {
        boolean ready = false;
        String reason;
        String message;
        if (!unserved.isEmpty() && agents > 0) {
            reason = "VolumesNotServed";
            message = "the agent does not serve " + names(unserved) + "; next: kubectl describe sharedvolumes -A";
        } else if (agents == 0) {
            reason = "NoAgent";
            message = "no node agent can serve volumes on this node" + lookThere;
        } else if (!silent.isEmpty()) {
            reason = "AgentSilent";
            message = "the agent does not answer for " + names(silent) + lookThere;
        } else {
            ready = true;
            reason = "Serving";
            message = "an agent serves this node's volumes: " + mounted;
        }
        return new CacheSnapshot(ready, reason, message, capacity, used, shares);
    }

    private static String names(List<String> all) {
        String some = String.join(", ", all.subList(0, Math.min(all.size(), MOST_NAMES)));
        return all.size() <= MOST_NAMES ? some : some + " and " + (all.size() - MOST_NAMES) + " more";
    }
}
