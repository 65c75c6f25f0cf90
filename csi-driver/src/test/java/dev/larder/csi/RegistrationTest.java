package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import csi.v1.Csi.GetPluginInfoRequest;
import csi.v1.Csi.ProbeRequest;
import dev.larder.linux.Processes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pluginregistration.Pluginregistration.InfoRequest;
import pluginregistration.Pluginregistration.RegistrationStatus;
import pluginregistration.RegistrationGrpc;

/** What kubelet's plugin watcher sees, and the process's health. */
class RegistrationTest {
    @TempDir
    Path directory;

    private NodeFixture node;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(Processes.effectiveUser() == 0, "the sockets are root's");
        node = new NodeFixture(directory);
    }

    @AfterEach
    void stop() {
        if (node != null) {
            node.close();
        }
    }

    private RegistrationGrpc.RegistrationBlockingStub kubelet() {
        return RegistrationGrpc.newBlockingStub(node.channel(node.paths.registrationSocket()))
                .withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://localhost:" + node.node.healthPort() + path);
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void kubeletFindsTheDriver() {
        var info = kubelet().getInfo(InfoRequest.getDefaultInstance());
        assertEquals("CSIPlugin", info.getType());
        assertEquals("csi.larder.dev", info.getName());
        assertEquals(node.paths.csiSocket().toString(), info.getEndpoint());
        assertEquals("1.12.0", info.getSupportedVersions(0));
        var plugin = node.identity().getPluginInfo(GetPluginInfoRequest.getDefaultInstance());
        assertEquals("csi.larder.dev", plugin.getName());
        assertTrue(node.identity()
                .probe(ProbeRequest.getDefaultInstance())
                .getReady()
                .getValue());
    }

    @Test
    void readyIsWhatKubeletHasRegistered() throws Exception {
        assertEquals(200, get("/healthz").statusCode());
        assertEquals(503, get("/readyz").statusCode());
        kubelet()
                .notifyRegistrationStatus(RegistrationStatus.newBuilder()
                        .setPluginRegistered(true)
                        .build());
        assertEquals(200, get("/readyz").statusCode());
        kubelet()
                .notifyRegistrationStatus(
                        RegistrationStatus.newBuilder().setError("no").build());
        assertEquals(503, get("/readyz").statusCode());
    }

    @Test
    void callsAreCounted() throws Exception {
        node.stage();
        String metrics = get("/metrics").body();
        assertTrue(
                metrics.contains("larder_csi_calls_seconds_count{code=\"OK\",method=\"NodeStageVolume\"} 1"), metrics);
    }

    @Test
    void socketsAreRootsAloneAndOutliveTheProcess() throws IOException {
        Path[] sockets = {node.paths.csiSocket(), node.paths.registrationSocket()};
        for (Path socket : sockets) {
            assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(socket));
        }
        node.node.close();
        for (Path socket : sockets) {
            assertTrue(Files.exists(socket), socket + " is gone");
        }
        node.restart();
        assertEquals(
                "csi.larder.dev",
                kubelet().getInfo(InfoRequest.getDefaultInstance()).getName());
    }
}
