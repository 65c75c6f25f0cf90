package dev.larder.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process with mounts of its own, as in a container. */
class MountNamespaceTest {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    private Process process;

    @AfterEach
    void end() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
        for (String name : new String[] {"used", "fresh"}) {
            while (Mounts.at(directory.resolve(name)) != null) {
                Mounts.unmount(directory.resolve(name), Mounts.MNT_DETACH);
            }
        }
    }

    private Path tmpfs(String name) throws IOException {
        Path path = Files.createDirectory(directory.resolve(name));
        Mounts.mount(name, path, "tmpfs", 0, "size=1m");
        Files.writeString(path.resolve("file"), name);
        return path;
    }

    @Test
    void aMountOfAnotherProcessIsReplacedAndNothingElseChanges() throws Exception {
        assumeTrue(Processes.effectiveUser() == 0, "mount(2) needs root");
        Path used = tmpfs("used");
        Path fresh = tmpfs("fresh");
        process = new ProcessBuilder("unshare", "--mount", "--propagation", "private", "sleep", "60").start();
        MountNamespace namespace = awaitNamespace();
        Path seen = Path.of("/proc/" + process.pid() + "/root")
                .resolve(Path.of("/").relativize(used))
                .resolve("file");
        assertEquals("used", Files.readString(seen));
        assertTrue(namespace.mounts().stream().anyMatch(mount -> mount.target().equals(used)));
        try (Descriptor tree = Mounts.cloneTree(fresh)) {
            namespace.run(DEADLINE, () -> {
                Mounts.unmount(used, Mounts.MNT_DETACH);
                Mounts.attach(tree, used);
            });
        }
        assertEquals("fresh", Files.readString(seen), "in the namespace");
        assertEquals("used", Files.readString(used.resolve("file")), "outside of it");
    }

    private MountNamespace awaitNamespace() throws InterruptedException {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (System.nanoTime() < end) {
            for (MountNamespace namespace : MountNamespace.others()) {
                if (namespace.pid() == process.pid()) {
                    return namespace;
                }
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        throw new AssertionError("the process got no namespace of its own");
    }
}
