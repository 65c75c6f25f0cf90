package dev.larder.csi;

import java.util.Map;

/** A pod that uses a volume, as kubelet says with each NodePublishVolume (podInfoOnMount). */
public record PodReference(String namespace, String name, String uid) {
    private static final String PREFIX = "csi.storage.k8s.io/pod.";

    /** @return null when the context does not name one wholly */
    static PodReference of(Map<String, String> volumeContext) {
        String namespace = volumeContext.get(PREFIX + "namespace");
        String name = volumeContext.get(PREFIX + "name");
        String uid = volumeContext.get(PREFIX + "uid");
        return namespace == null || name == null || uid == null ? null : new PodReference(namespace, name, uid);
    }
}
