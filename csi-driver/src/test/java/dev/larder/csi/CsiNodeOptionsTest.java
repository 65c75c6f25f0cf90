package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.larder.csi.cluster.ApiAccess;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class CsiNodeOptionsTest {
    private static CsiNodeOptions parse(String... arguments) {
        CsiNodeOptions options = new CsiNodeOptions();
        new CommandLine(options).parseArgs(arguments);
        options.check();
        return options;
    }

    @Test
    void everyFlagHasItsEnvironmentVariable() {
        assertEquals(
                List.of(
                        "--node-name",
                        "--run-dir",
                        "--kubelet-dir",
                        "--health-port",
                        "--agent-absent-timeout",
                        "--max-volumes",
                        "--api-server",
                        "--api-token-file",
                        "--api-ca-file",
                        "--taint-not-ready"),
                Flags.checked(new CsiNodeOptions()));
    }

    @Test
    void defaultsAndDurations() {
        CsiNodeOptions options = parse("--node-name=n", "--agent-absent-timeout=2m");
        assertEquals(
                "/var/lib/kubelet/plugins/csi.larder.dev/csi.sock",
                options.paths().csiSocket().toString());
        assertEquals(Duration.ofMinutes(2), options.agentAbsentTimeout());
    }

    @Test
    void theApiServerIsTheOneOfTheClusterUnlessAFlagNamesIt() {
        CsiNodeOptions outside = parse("--node-name=n");
        outside.findApiServer(Map.of());
        assertNull(outside.api());
        CsiNodeOptions inside = parse("--node-name=n");
        inside.findApiServer(Map.of("KUBERNETES_SERVICE_HOST", "fd00::1", "KUBERNETES_SERVICE_PORT", "443"));
        inside.check();
        assertEquals(
                new ApiAccess(
                        URI.create("https://[fd00::1]:443"),
                        Path.of("/var/run/secrets/kubernetes.io/serviceaccount/token"),
                        Path.of("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")),
                inside.api());
        CsiNodeOptions named = parse("--node-name=n", "--api-server=https://a:1", "--taint-not-ready=false");
        named.findApiServer(Map.of("KUBERNETES_SERVICE_HOST", "10.0.0.1", "KUBERNETES_SERVICE_PORT", "443"));
        assertEquals(URI.create("https://a:1"), named.api().server());
        assertFalse(named.taintNotReady());
    }

    @Test
    void wrongFlagsAreRefused() {
        assertEquals(Service.WRONG_FLAG, CsiNodeMain.run("--node-name=n", "--api-server=http://a:1"));
        assertEquals(Service.WRONG_FLAG, CsiNodeMain.run("--node-name=n", "--no-such"));
        assertEquals(Service.WRONG_FLAG, CsiNodeMain.run("--node-name=n", "--kubelet-dir=relative"));
        assertThrows(CommandLine.ParameterException.class, () -> parse("--node-name=n", "--agent-absent-timeout=soon"));
    }
}
