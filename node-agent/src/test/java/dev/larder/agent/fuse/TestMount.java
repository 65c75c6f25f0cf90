package dev.larder.agent.fuse;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.linux.Descriptor;
import dev.larder.linux.fuse.FuseInit;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.linux.fuse.Negotiated;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A memory file system on a real mount. Whatever asks the mount runs as another process, as the rules of FUSE want. */
final class TestMount implements AutoCloseable {
    static final Duration DEADLINE = Duration.ofSeconds(20);

    final Path directory;
    final Descriptor device;
    final Negotiated negotiated;
    final FuseKernel kernel;
    final MemoryFileSystem fileSystem;
    final Map<Integer, Long> recorded = new ConcurrentHashMap<>();
    FuseServer server;

    TestMount(Path parent) throws Exception {
        directory = Files.createDirectory(parent.resolve("mount"));
        device = FuseMount.mount(directory, "larder-test", FuseMount.Options.DEFAULT);
        negotiated = FuseInit.negotiate(device, DEADLINE);
        kernel = new FuseKernel(device, negotiated, new BackingRecorder() {
            @Override
            public void opened(long inode, int backingId) {
                recorded.put(backingId, inode);
            }

            @Override
            public void closed(long inode, int backingId) {
                recorded.remove(backingId);
            }

            @Override
            public int backing(long inode) {
                return recorded.entrySet().stream()
                        .filter(entry -> entry.getValue() == inode)
                        .mapToInt(Map.Entry::getKey)
                        .findFirst()
                        .orElse(0);
            }
        });
        fileSystem = new MemoryFileSystem(kernel);
        serve(FuseServer.Options.DEFAULT);
    }

    void serve(FuseServer.Options options) {
        server = new FuseServer(device, negotiated, kernel, fileSystem, options);
        server.start();
    }

    Path path(String name) {
        return directory.resolve(name);
    }

    /** Runs a script with the mount as its working directory; its output. A failure of the script fails the test. */
    String shell(String script) throws Exception {
        return finish(start(script), script);
    }

    Process start(String script) throws Exception {
        return new ProcessBuilder("/bin/sh", "-c", "set -e; cd " + directory + "; " + script)
                .redirectErrorStream(true)
                .start();
    }

    static String finish(Process process, String script) throws Exception {
        if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end: " + script);
        }
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertTrue(process.exitValue() == 0, () -> script + " -> " + process.exitValue() + " " + output);
        return output.strip();
    }

    static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "condition not reached in time");
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }

    @Override
    public void close() {
        FuseMount.unmount(directory, true);
        try {
            assertTrue(server.awaitEnd(DEADLINE), "workers end with the mount");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        device.close();
    }
}
