package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.larder.csi.PodReference;

/** The object that an event is about. @param uid empty = not known */
record Regarding(String apiVersion, String kind, String namespace, String name, String uid) {
    static Regarding of(PodReference pod) {
        return new Regarding("v1", "Pod", pod.namespace(), pod.name(), pod.uid());
    }

    /** @param volume namespace/name */
    static Regarding sharedVolume(String volume) {
        int slash = volume.indexOf('/');
        return new Regarding(
                "larder.dev/v1alpha1", "SharedVolume", volume.substring(0, slash), volume.substring(slash + 1), "");
    }

    Regarding withUid(String found) {
        return new Regarding(apiVersion, kind, namespace, name, found);
    }

    boolean isPod() {
        return kind.equals("Pod");
    }

    ObjectNode json() {
        return ApiClient.json()
                .createObjectNode()
                .put("apiVersion", apiVersion)
                .put("kind", kind)
                .put("namespace", namespace)
                .put("name", name)
                .put("uid", uid);
    }
}
