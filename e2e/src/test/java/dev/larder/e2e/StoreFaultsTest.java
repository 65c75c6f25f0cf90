package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.e2e.FaultyProxy.Fault;
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
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A store that misbehaves: reads and fsyncs succeed after a retry or fail with a true errno within a bound, never with
 * wrong bytes; what was written is not lost; and all is well when the fault is gone. Every file is read once only from
 * the store, so the cache is emptied twice in all.
 */
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StoreFaultsTest {
    /** Operations wait for the store, and a transfer that began in time may take twice as long. */
    private static final int PATIENCE_SECONDS = 8;

    private static final int DEADLINE_SECONDS = 100;
    private static final String VOLUME = "faulty";
    private static final int SIZE = 2_000_000;
    private static final byte[] STORED = SurvivalTest.random(SIZE, 11);

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
        S3Server.secret(larder, S3Server.SECRET_KEY);
        manifest = larder.manifest(
                VOLUME,
                S3Server.yaml(VOLUME, proxy.port(), S3Server.BUCKET)
                        .replaceFirst(
                                "objectStore: bucket",
                                "objectStore: bucket\n  mountOptions: {patience: " + PATIENCE_SECONDS + "s}"));
        mount = larder.mount(manifest, "m");
        for (Fault fault : Fault.values()) {
            Files.write(mount.resolve("once-" + fault), STORED);
            Files.write(mount.resolve("always-" + fault), STORED);
        }
        emptyCache();
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
    @Order(1)
    void aFaultThatPassesIsNotSeen(Fault fault) throws Exception {
        int requests = fault == Fault.NEVER ? 1 : 2;
        proxy.fail(fault, requests);
        assertArrayEquals(STORED, Files.readAllBytes(mount.resolve("once-" + fault)));
        assertTrue(proxy.met() > 0, "the reads met the fault");

        proxy.fail(fault, requests);
        write(mount.resolve("written-once-" + fault), fresh("once", fault));
        assertTrue(proxy.met() > 0, "the writes met the fault");
        proxy.recover();
    }

    @ParameterizedTest
    @EnumSource
    @Order(2)
    void aFaultThatStaysIsATrueError(Fault fault) throws Exception {
        Path stored = mount.resolve("always-" + fault);
        Path written = mount.resolve("written-always-" + fault);
        byte[] fresh = fresh("always", fault);
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
        SurvivalTest.await(
                () -> Files.readString(mount.resolve(".larder/stats")).contains("\ndirtyBytes: 0\n"),
                "what waited is uploaded");
    }

    @Test
    @Order(3)
    void whatWasWrittenIsInTheStore() throws Exception {
        emptyCache();
        for (Fault fault : Fault.values()) {
            for (String when : new String[] {"once", "always"}) {
                assertArrayEquals(
                        fresh(when, fault),
                        Files.readAllBytes(mount.resolve("written-" + when + "-" + fault)),
                        when + " " + fault);
            }
        }
        larder.run("fsck", "--content", mount.toString()).ok();
    }

    private static byte[] fresh(String when, Fault fault) {
        return SurvivalTest.random(SIZE, (when + fault).hashCode());
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
