package dev.larder.csi.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.larder.csi.NodeRun;
import dev.larder.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * Kubernetes' csi-sanity against both services, with real mounts; SharedVolumes and the file systems are stand-ins. The
 * directory of csi-sanity is that of the environment variable LARDER_KUBE_BIN.
 */
@Tag("cluster")
class SanityTest {
    /** Those of the capabilities that the driver has; the others are skipped. */
    private static final int SPECS = 40;

    private static final Pattern SUMMARY = Pattern.compile("(\\d+) Passed \\| (\\d+) Failed \\| .* Skipped");

    private static final String KUBE_BIN = "LARDER_KUBE_BIN";

    @TempDir
    Path directory;

    @Test
    void csiSanityPasses() throws Exception {
        assumeTrue(Processes.effectiveUser() == 0, "mount(2) needs root");
        String bin = System.getenv(KUBE_BIN);
        assumeTrue(bin != null, KUBE_BIN + " names no directory with csi-sanity");
        Path socket = directory.resolve("controller.sock");
        CsiControllerOptions options = new CsiControllerOptions();
        new CommandLine(options).parseArgs("--namespace=larder", "--csi-address=" + socket, "--health-port=0");
        try (NodeRun node = NodeRun.start(directory);
                CsiController _ = CsiController.start(options, new ListedVolumes())) {
            String output = run(Path.of(bin, "csi-sanity"), socket, node);
            Matcher summary = SUMMARY.matcher(output);
            assertTrue(summary.find(), output);
            System.out.println("csi-sanity: " + summary.group());
            assertTrue(Integer.parseInt(summary.group(1)) >= SPECS, output);
            assertEquals("0", summary.group(2), output);
            assertEquals(List.of(), node.leftMounts(), output);
        }
    }

    private String run(Path program, Path controllerSocket, NodeRun node) throws IOException, InterruptedException {
        Path log = directory.resolve("sanity.log");
        Process sanity = new ProcessBuilder(
                        program.toString(),
                        "-ginkgo.no-color",
                        "-csi.endpoint=" + node.socket(),
                        "-csi.controllerendpoint=" + controllerSocket,
                        "-csi.mountdir=" + node.kubelet().resolve("pods/sanity/target"),
                        "-csi.stagingdir=" + node.kubelet().resolve("plugins/kubernetes.io/csi/sanity/staging"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(sanity.waitFor(300, TimeUnit.SECONDS), "csi-sanity is not through after 300 s");
        } finally {
            sanity.destroyForcibly();
        }
        return Files.readString(log);
    }
}
