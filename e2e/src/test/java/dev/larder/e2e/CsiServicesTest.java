package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.crds.testing.KubeApiServer;
import dev.larder.e2e.load.LoadProcess;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Volumes from their claim to their end, through the CSI services, with every process of a cluster but kubelet. */
@Tag(KubeApiServer.TAG)
@Timeout(600)
class CsiServicesTest {
    private static final int PODS = 30;
    private static final int ROUNDS = 4;

    private static ClusterProcesses cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = ClusterProcesses.start();
    }

    @AfterAll
    static void stop() throws IOException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void thirtyPodsShareAVolume() throws Exception {
        try (Kubelet kubelet = new Kubelet(cluster, "larder-shared")) {
            kubelet.stage();
            for (int round = 0; round < ROUNDS; round++) {
                for (int pod = 0; pod < PODS && round > 0; pod++) {
                    kubelet.unpublish("pod-" + pod);
                }
                System.out.println("published in ms, sorted: " + publishAll(kubelet));
            }
            for (int pod = 0; pod < PODS; pod++) {
                Files.writeString(kubelet.publish("pod-" + pod, "2000", false).resolve("of-" + pod), "text");
            }
            Path reader = kubelet.publish("reader", "2000", true);
            try (Stream<Path> files = Files.list(reader)) {
                assertEquals(
                        PODS,
                        files.filter(file -> file.getFileName().toString().startsWith("of-"))
                                .count());
            }
            assertThrows(FileSystemException.class, () -> Files.createFile(reader.resolve("refused")));
            assertEquals(2000, Files.getAttribute(reader, "unix:gid"));
            assertEquals(042775, Files.getAttribute(reader, "unix:mode"));
            System.out.println("csi-node: " + cluster.nodeMegabytes() + " MB resident");
            for (int pod = 0; pod < PODS; pod++) {
                kubelet.unpublish("pod-" + pod);
            }
            kubelet.unpublish("reader");
            kubelet.unstage();
            assertEquals(List.of(), cluster.mounts());
            kubelet.delete();
        }
    }

    /** All at once, as kubelet does when a job starts. */
    private static List<Long> publishAll(Kubelet kubelet) throws Exception {
        List<Long> milliseconds = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(PODS)) {
            List<Future<Long>> started = new ArrayList<>();
            for (int pod = 0; pod < PODS; pod++) {
                String name = "pod-" + pod;
                started.add(executor.submit(() -> {
                    long begin = System.nanoTime();
                    kubelet.publish(name, "2000", false);
                    return (System.nanoTime() - begin) / 1_000_000;
                }));
            }
            for (Future<Long> one : started) {
                milliseconds.add(one.get());
            }
        }
        milliseconds.sort(null);
        return milliseconds;
    }

    @Test
    void aPodSeesNothingOfACsiNodeThatIsKilled() throws Exception {
        try (Kubelet kubelet = new Kubelet(cluster, "larder-killed")) {
            kubelet.stage();
            Path target = kubelet.publish("worker", "", false);
            try (LoadProcess load = LoadProcess.start(target.resolve("load"), cluster.home())) {
                load.awaitProgress(5);
                for (int kill = 0; kill < 3; kill++) {
                    cluster.killNode();
                    kubelet.publish("worker", "", false);
                    kubelet.publish("other-" + kill, "", false);
                    load.awaitProgress(2);
                    kubelet.unpublish("other-" + kill);
                }
                JsonNode seen = load.finish();
                System.out.println("load: " + seen);
                assertEquals(0, seen.path("errors").asLong(), () -> seen + "\n" + cluster.logs());
            }
            kubelet.unpublish("worker");
            kubelet.unstage();
            assertFalse(cluster.mounts().contains(target));
            kubelet.delete();
        }
    }
}
