package dev.larder.e2e.k8s;

/** A SharedVolume of a test and its claim. */
record TestVolume(Cluster cluster, String namespace, String name) {
    /** Applies the object and waits until pods can mount it. @param spec lines of the spec, in YAML */
    static TestVolume create(Cluster cluster, String namespace, String name, String... spec) {
        StringBuilder yaml = new StringBuilder("""
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: %s
                  namespace: %s
                spec:
                """.formatted(name, namespace));
        for (String line : spec.length == 0 ? new String[] {"capacity: 5Gi"} : spec) {
            yaml.append("  ").append(line).append('\n');
        }
        cluster.apply(yaml.toString());
        TestVolume volume = new TestVolume(cluster, namespace, name);
        cluster.kubectl("-n", namespace, "wait", "--for=condition=Ready", "sharedvolume/" + name, "--timeout=60s");
        return volume;
    }

    /** jsonpath of the object, such as {.status.phase}. */
    String get(String jsonPath) {
        return cluster.kubectl("-n", namespace, "get", "sharedvolume", name, "-o", "jsonpath=" + jsonPath);
    }

    String id() {
        return get("{.status.volumeId}");
    }

    /** A pod that waits, with the volume at /data. */
    void startPod(String pod, String node) {
        startPod(pod, node, "", "");
    }

    /**
     * @param mount more of the volumeMount, such as "subPath: a"
     * @param source more of the claim's source, such as "readOnly: true"
     */
    void startPod(String pod, String node, String mount, String source) {
        cluster.apply("""
                apiVersion: v1
                kind: Pod
                metadata:
                  name: %s
                  namespace: %s
                spec:
                  nodeName: %s
                  terminationGracePeriodSeconds: 0
                  containers:
                  - name: user
                    image: %s
                    command: [sh, -c, "sleep 100000"]
                    volumeMounts:
                    - name: data
                      mountPath: /data
                      %s
                  volumes:
                  - name: data
                    persistentVolumeClaim:
                      claimName: %s
                      %s
                """.formatted(pod, namespace, node, Cluster.BUSYBOX, mount, name, source));
    }
}
