package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A store that misbehaves: reads and closes succeed after a retry or fail with a true errno within a bound, never with
 * wrong bytes; what was written is not lost; and all is well when the fault is gone.
 */
@Timeout(400)
class StoreFaultsTest {
    /** Longer than any bound of the product. */
    private static final int DEADLINE_SECONDS = 330;

    private static final String VOLUME = "faulty";
    private static final byte[] STORED = SurvivalTest.random(9_000_000, 11);

    private static Larder larder;
    private static S3Server server;
    private static FaultyProxy proxy;
    private static Path manifest;
    private static Path mount;

    @BeforeAll
    static void mount() throws Exception {
        larder = Larder.create();
        server = new S3Server(larder.home().resolve("s3"), 0);
        proxy = new FaultyProxy(server.port());
        manifest = S3Server.manifest(larder, VOLUME, proxy.port());
        mount = larder.mount(manifest, "m");
        for (FaultyProxy.Fault fault : FaultyProxy.Fault.values()) {
            Files.write(mount.resolve("once-" + fault), STORED);
            Files.write(mount.resolve("always-" + fault), STORED);
        }
    }

    @AfterAll
    static void umount() throws IOException {
        proxy.recover();
        larder.close();
        proxy.close();
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void aFaultThatPassesIsNotSeen(FaultyProxy.Fault fault) throws Exception {
        emptyCache();
        int requests = fault == FaultyProxy.Fault.NEVER ? 1 : 2;
        proxy.fail(fault, requests);
        assertArrayEquals(STORED, Files.readAllBytes(mount.resolve("once-" + fault)));
        assertEquals(requests, proxy.met(), "the reads met the fault");

        proxy.fail(fault, requests);
        byte[] fresh = SurvivalTest.random(9_000_000, fault.name().hashCode());
        write(mount.resolve("written-once-" + fault), fresh);
        assertEquals(requests, proxy.met(), "the writes met the fault");
        proxy.recover();
        emptyCache();
        assertArrayEquals(fresh, Files.readAllBytes(mount.resolve("written-once-" + fault)));
    }

    @ParameterizedTest
    @EnumSource
    void aFaultThatStaysIsATrueError(FaultyProxy.Fault fault) throws Exception {
        emptyCache();
        Path stored = mount.resolve("always-" + fault);
        Path written = mount.resolve("written-always-" + fault);
        byte[] fresh = SurvivalTest.random(9_000_000, -fault.name().hashCode());
        proxy.fail(fault, Integer.MAX_VALUE);
        try (ExecutorService users = Executors.newFixedThreadPool(2)) {
            Future<byte[]> read = users.submit(() -> bytesOrTrueError(() -> Files.readAllBytes(stored)));
            Future<byte[]> write = users.submit(() -> bytesOrTrueError(() -> {
                write(written, fresh);
                return fresh;
            }));
            byte[] seen = read.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
            if (seen != null) {
                assertArrayEquals(STORED, seen);
            }
            write.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
        } finally {
            proxy.recover();
        }
        assertTrue(proxy.met() > 0, "the fault was met");
        assertArrayEquals(STORED, Files.readAllBytes(stored), "all is well again");
        assertArrayEquals(fresh, Files.readAllBytes(written), "what was written was kept");
        emptyCache();
        assertArrayEquals(fresh, Files.readAllBytes(written), "and is in the store now");
        larder.run("fsck", "--content", mount.toString()).ok();
    }

    /** What a read gave, or null after EIO or ETIMEDOUT. */
    private static byte[] bytesOrTrueError(Callable<byte[]> action) throws Exception {
        try {
            return action.call();
        } catch (IOException e) {
            String message = "" + e.getMessage();
            assertTrue(
                    message.contains("Input/output error") || message.contains("Connection timed out"),
                    () -> "a true errno: " + e);
            return null;
        }
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                assertTrue(channel.write(rest) > 0);
            }
            channel.force(true);
        }
    }

    private static void emptyCache() throws IOException {
        larder.umount(mount);
        larder.dropCache(VOLUME);
        larder.mount(manifest, "m");
    }
}
