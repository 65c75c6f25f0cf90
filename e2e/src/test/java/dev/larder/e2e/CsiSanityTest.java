package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.csi.SecretProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Kubernetes' csi-sanity against the real services, with real mounts, a real database and a real store. */
@Tag(KubeApiServer.TAG)
class CsiSanityTest {
    /** Those of the capabilities that the driver has; the others are skipped. */
    private static final int SPECS = 44;

    private static final Pattern SUMMARY = Pattern.compile("(\\d+) Passed \\| (\\d+) Failed \\| .* Skipped");

    /** What capabilities that the driver does not have exclude, in csi-sanity's words. */
    private static final Set<String> EXCLUDED = Set.of(
            "Controller Publish, UnpublishVolume",
            "ControllerGetVolumeHealth",
            "ControllerListVolumeHealth",
            "ControllerModifyVolume",
            "ControllerPublishVolume",
            "ControllerUnpublishVolume",
            "CreateSnapshot",
            "DeleteSnapshot",
            "GetCapacity",
            "GetSnapshot",
            "GroupControllerService",
            "ListSnapshots",
            "Modify Volume",
            "Modify volume",
            "NodeExpandVolume",
            "NodeGetStorageHealth",
            "NodeGetVolumeHealth",
            "Snapshot",
            "Volume Cloning");

    private static final Pattern SKIPPED = Pattern.compile("\\[SKIPPED\\] ([A-Z][A-Za-z, ]+) not supported");

    private static Set<String> excluded(String output) {
        return SKIPPED.matcher(output).results().map(result -> result.group(1)).collect(Collectors.toSet());
    }

    @Test
    @Timeout(900)
    void csiSanityPasses() throws Exception {
        try (ClusterProcesses cluster = ClusterProcesses.start()) {
            Path socket = cluster.home().resolve("sanity.sock");
            String output;
            try (SecretProxy _ = SecretProxy.start(socket, cluster.nodeSocket(), cluster::secretOf)) {
                output = run(cluster, socket);
            }
            Matcher summary = SUMMARY.matcher(output);
            assertTrue(summary.find(), output);
            System.out.println("csi-sanity: " + summary.group());
            assertEquals("0", summary.group(2), () -> output + "\n" + cluster.logs());
            assertTrue(Integer.parseInt(summary.group(1)) >= SPECS, output);
            assertEquals(EXCLUDED, excluded(output));
            assertEquals(List.of(), cluster.mounts());
            assertEquals(List.of(), cluster.volumes());
        }
    }

    private static String run(ClusterProcesses cluster, Path socket) throws IOException, InterruptedException {
        Path log = cluster.home().resolve("sanity.out");
        Path pods = Files.createDirectories(cluster.kubelet().resolve("pods/sanity"));
        Path staging = Files.createDirectories(cluster.kubelet().resolve("plugins/kubernetes.io/csi/sanity"));
        Process sanity = new ProcessBuilder(
                        Path.of(System.getenv(KubeApiServer.PROGRAMS), "csi-sanity")
                                .toString(),
                        "-ginkgo.no-color",
                        "-ginkgo.v",
                        "-csi.endpoint=" + socket,
                        "-csi.controllerendpoint=" + cluster.controllerSocket(),
                        "-csi.mountdir=" + pods.resolve("target"),
                        "-csi.stagingdir=" + staging.resolve("staging"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(sanity.waitFor(600, TimeUnit.SECONDS), () -> "not through after 600 s\n" + cluster.logs());
        } finally {
            sanity.destroyForcibly();
        }
        return Files.readString(log);
    }
}
