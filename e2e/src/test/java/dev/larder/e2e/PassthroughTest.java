package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A whole cached file is read by the kernel from the cache file: also while the agent is stopped. */
class PassthroughTest {
    private static final int SIZE = 4 << 20;
    private static final long STOPPED_SECONDS = 8;

    @Test
    void aStoppedAgentDoesNotStopItsReaders() throws Exception {
        byte[] bytes = new byte[SIZE];
        new Random(SIZE).nextBytes(bytes);
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("direct");
            Path mount = larder.mount(manifest, "m");
            Files.write(mount.resolve("model"), bytes);
            larder.umount(mount);
            larder.mount(manifest, "m");
            long agent = larder.status(mount).path("agentPid").asLong();
            try (FileChannel open = FileChannel.open(mount.resolve("model"));
                    Arena arena = Arena.ofConfined()) {
                MemorySegment mapped = open.map(MapMode.READ_ONLY, 0, SIZE, arena);
                Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3");
                Process stopper = stop(agent);
                try {
                    assertArrayEquals(bytes, read(open));
                    assertEquals(-1, mapped.mismatch(MemorySegment.ofArray(bytes)));
                    assertTrue(isStopped(agent), "the agent was stopped all the time");
                } finally {
                    assertTrue(stopper.waitFor(2 * STOPPED_SECONDS, TimeUnit.SECONDS));
                }
            }
        }
    }

    /**
     * Stops it for a time. By a program that is started before: the fork of another would close its copies of the open
     * files, and a close waits for the agent.
     */
    private static Process stop(long pid) throws Exception {
        String script = "kill -STOP %d && sleep %d; kill -CONT %d".formatted(pid, STOPPED_SECONDS, pid);
        Process stopper = new ProcessBuilder("sh", "-c", "sleep 1; " + script).start();
        SurvivalTest.await(() -> isStopped(pid), "agent " + pid + " is stopped");
        return stopper;
    }

    private static boolean isStopped(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        return stat.substring(stat.lastIndexOf(')')).startsWith(") T");
    }

    private static byte[] read(FileChannel file) throws Exception {
        ByteBuffer into = ByteBuffer.allocate(SIZE);
        while (into.hasRemaining() && file.read(into, into.position()) > 0) {
            // the rest
        }
        return into.array();
    }
}
