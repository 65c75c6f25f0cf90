package dev.larder.csi;

import java.util.Map;

/** CSI's volume_context: a PersistentVolume's volumeAttributes and what kubelet adds of the pod. None changes a mount. */
final class VolumeContext {
    private static final String EPHEMERAL = "csi.storage.k8s.io/ephemeral";

    private VolumeContext() {}

    /**
     * @throws CsiException INVALID_ARGUMENT for a key that is not known, so that nobody believes that it does something,
     *     and for a volume that is written inside of a pod
     */
    static void check(Map<String, String> context) {
        for (String key : context.keySet()) {
            if (!isKnown(key)) {
                throw CsiException.invalid("volumeAttributes has the key '" + key.replaceAll("\\p{Cntrl}", "?")
                                + "', which is not known")
                        .next("kubectl explain sharedvolume.spec (options of a volume stand there)");
            }
        }
        if (Boolean.parseBoolean(context.get(EPHEMERAL))) {
            throw CsiException.invalid("a SharedVolume cannot be written inside of a pod as an ephemeral volume")
                    .next("kubectl explain pod.spec.volumes.persistentVolumeClaim");
        }
    }

    /** Kubelet's and the provisioner's own, and the operator's, which are only for people. */
    private static boolean isKnown(String key) {
        return key.startsWith("csi.storage.k8s.io/")
                || key.startsWith("storage.kubernetes.io/")
                || key.startsWith("larder.dev/");
    }
}
