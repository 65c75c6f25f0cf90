package dev.larder.e2e.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.larder.e2e.load.LoadMain;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/** {@link LoadMain} in a pod: it reads, maps, writes, appends, renames and locks, and counts what goes wrong. */
final class LoadPod {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PROGRAM = "load-program";
    private static final String STOP = "/tmp/stop";

    private final Cluster cluster;
    private final String namespace;
    private final String name;

    private LoadPod(Cluster cluster, String namespace, String name) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.name = name;
    }

    /** Puts the program into the namespace. */
    static void install(Cluster cluster, String namespace) throws IOException {
        Path jar = Files.createTempFile("larder-load", ".jar");
        try {
            write(jar);
            cluster.kubectl("-n", namespace, "create", "configmap", PROGRAM, "--from-file=load.jar=" + jar);
        } finally {
            Files.delete(jar);
        }
    }

    private static void write(Path jar) throws IOException {
        Path classes = Path.of("target", "test-classes");
        String directory = LoadMain.class.getPackageName().replace('.', '/');
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
                DirectoryStream<Path> files = Files.newDirectoryStream(classes.resolve(directory), "*.class")) {
            for (Path file : files) {
                entries.putNextEntry(new JarEntry(directory + "/" + file.getFileName()));
                try (InputStream in = Files.newInputStream(file)) {
                    in.transferTo(entries);
                }
            }
        }
    }

    static LoadPod start(TestVolume volume, String name, String node) {
        volume.cluster().apply("""
                apiVersion: v1
                kind: Pod
                metadata:
                  name: %1$s
                  namespace: %2$s
                spec:
                  nodeName: %3$s
                  terminationGracePeriodSeconds: 0
                  restartPolicy: Never
                  containers:
                  - name: load
                    image: larder.local/larder:dev
                    command:
                    - /opt/larder/jre/bin/java
                    - -Xmx64m
                    - -XX:+UseSerialGC
                    - -XX:TieredStopAtLevel=1
                    - -cp
                    - /program/load.jar
                    - %4$s
                    - /data/%1$s
                    - %5$s
                    securityContext: {runAsUser: 0}
                    volumeMounts:
                    - {name: data, mountPath: /data}
                    - {name: program, mountPath: /program}
                    - {name: tmp, mountPath: /tmp}
                  volumes:
                  - name: data
                    persistentVolumeClaim: {claimName: %6$s}
                  - name: program
                    configMap: {name: %7$s}
                  - name: tmp
                    emptyDir: {}
                """.formatted(
                        name, volume.namespace(), node, LoadMain.class.getName(), STOP, volume.name(), PROGRAM));
        volume.cluster().awaitReady(volume.namespace(), name);
        return new LoadPod(volume.cluster(), volume.namespace(), name);
    }

    /** The last line that it wrote; nothing before the first, and while kubelet does not answer. */
    JsonNode now() throws IOException {
        String line = cluster.run("kubectl", "-n", namespace, "logs", name, "--tail=1")
                .out()
                .strip();
        return line.startsWith("{") && line.endsWith("}") ? JSON.readTree(line) : JSON.createObjectNode();
    }

    /** Waits until each kind of work has been done so many times more, without a new error. */
    void awaitProgress(int more) throws IOException {
        AtomicReference<JsonNode> first = new AtomicReference<>();
        Cluster.await("the load of " + name + " says how it is", () -> {
            first.set(now());
            return first.get().hasNonNull("rounds");
        });
        JsonNode before = first.get();
        Cluster.await("the load of " + name + " goes on", () -> progressed(before, now(), more));
    }

    private static boolean progressed(JsonNode before, JsonNode after, int more) {
        return after.hasNonNull("rounds")
                && after.properties().stream()
                        .filter(work -> work.getValue().isObject())
                        .allMatch(work -> work.getValue().path("rounds").asLong()
                                >= before.path(work.getKey()).path("rounds").asLong() + more);
    }

    /** Ends the work; gives what it saw, its checks at the end included, and deletes the pod. */
    JsonNode finish() throws IOException {
        cluster.exec(namespace, name, "touch", STOP);
        Cluster.await(
                "the load of " + name + " has ended", () -> now().path("final").asBoolean());
        JsonNode last = now();
        delete();
        return last;
    }

    void delete() {
        cluster.kubectl("-n", namespace, "delete", "pod", name, "--force", "--grace-period=0", "--ignore-not-found");
    }
}
