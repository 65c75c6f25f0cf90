package dev.larder.csi.cluster;

/** Paths of the API that this module uses; names of Kubernetes need no escaping. */
final class ApiPaths {
    private static final String LARDER = "/apis/larder.dev/v1alpha1/";

    static final String NODE_CACHES = LARDER + "nodecaches";
    static final String WARMUPS = LARDER + "cachewarmups";

    private ApiPaths() {}

    static String node(String node) {
        return "/api/v1/nodes/" + node;
    }

    static String nodeCache(String node) {
        return NODE_CACHES + "/" + node;
    }

    static String warmup(String namespace, String name) {
        return LARDER + "namespaces/" + namespace + "/cachewarmups/" + name;
    }

    static String sharedVolume(String namespace, String name) {
        return LARDER + "namespaces/" + namespace + "/sharedvolumes/" + name;
    }

    static String events(String namespace) {
        return "/apis/events.k8s.io/v1/namespaces/" + namespace + "/events";
    }
}
