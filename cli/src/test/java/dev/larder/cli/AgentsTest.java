package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.protocol.MountSpec;
import dev.larder.protocol.ProcessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which processes a mount still has. */
class AgentsTest {
    @TempDir
    private Path directory;

    @Test
    void aLivingProcessIsKnownAndAnotherOfItsNumberIsNot() throws Exception {
        MountSpec spec = new MountSpec(
                1,
                "v",
                new UUID(0, 1),
                null,
                directory,
                null,
                null,
                null,
                "none",
                "bounded",
                "onFsync",
                false,
                false,
                60);
        assertEquals(List.of(), MountRecords.processes(spec));
        Process sleeping = new ProcessBuilder("sleep", "60").start();
        try {
            Instant started = sleeping.info().startInstant().orElseThrow();
            Files.writeString(spec.agentProcess().file(), sleeping.pid() + " " + started.toEpochMilli() + "\n");
            spec.supervisorProcess().write();
            assertEquals(List.of(ProcessHandle.current(), sleeping.toHandle()), MountRecords.processes(spec));
            Files.writeString(spec.agentProcess().file(), sleeping.pid() + " 12345\n");
            assertEquals(List.of(ProcessHandle.current()), MountRecords.processes(spec));
            Files.writeString(spec.agentProcess().file(), "torn");
            assertFalse(new ProcessFile(spec.agentProcess().file()).living().isPresent());
        } finally {
            sleeping.destroyForcibly();
        }
        assertTrue(sleeping.waitFor() != 0);
    }
}
