package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
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
                        "--max-volumes"),
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
    void wrongFlagsAreRefused() {
        assertEquals(Service.WRONG_FLAG, CsiNodeMain.run("--node-name=n", "--no-such"));
        assertEquals(Service.WRONG_FLAG, CsiNodeMain.run("--node-name=n", "--kubelet-dir=relative"));
        assertThrows(CommandLine.ParameterException.class, () -> parse("--node-name=n", "--agent-absent-timeout=soon"));
    }
}
