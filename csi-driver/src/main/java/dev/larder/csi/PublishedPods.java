package dev.larder.csi;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which pods use which volume on this node. Known in memory alone: after a restart kubelet's next calls (requiresRepublish)
 * say it again.
 */
public final class PublishedPods {
    private record Target(UUID volume, PodReference pod) {}

    private final Map<Path, Target> targets = new ConcurrentHashMap<>();

    /** @param pod null = not known, nothing is noted */
    void published(UUID volume, Path target, PodReference pod) {
        if (pod != null) {
            targets.put(target, new Target(volume, pod));
        }
    }

    void unpublished(Path target) {
        targets.remove(target);
    }

    public List<PodReference> of(UUID volume) {
        return targets.values().stream()
                .filter(target -> target.volume.equals(volume))
                .map(Target::pod)
                .distinct()
                .toList();
    }
}
