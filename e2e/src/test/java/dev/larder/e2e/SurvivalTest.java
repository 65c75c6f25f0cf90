package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** kill -9 of the agent, again and again, under load: users of the mount see a pause, no error and no wrong byte. */
class SurvivalTest {
    private static final int KILLS = 4;
    private static final int BLOCK = 4096;

    @Test
    @Timeout(600)
    void aMountOutlivesItsAgent() throws Exception {
        try (Larder larder = Larder.create();
                ExecutorService users = Executors.newFixedThreadPool(5)) {
            Path manifest = larder.manifest("survival");
            Path mount = larder.mount(manifest, "m");
            byte[] fixed = random(3 << 20, 1);
            Files.write(mount.resolve("fixed"), fixed);
            AtomicBoolean stop = new AtomicBoolean();
            AtomicLong rounds = new AtomicLong();

            List<Future<?>> loads = new ArrayList<>();
            loads.add(users.submit(forever(stop, rounds, new Reader(mount.resolve("fixed"), fixed))));
            loads.add(users.submit(forever(stop, rounds, new Mapped(mount.resolve("fixed"), fixed))));
            Writer writer = new Writer(mount.resolve("written"));
            loads.add(users.submit(forever(stop, rounds, writer)));
            Appender appender = new Appender(mount.resolve("appended"));
            loads.add(users.submit(forever(stop, rounds, appender)));
            Renamer renamer = new Renamer(mount);
            loads.add(users.submit(forever(stop, rounds, renamer)));

            for (int kill = 0; kill < KILLS; kill++) {
                long before = rounds.get();
                await(() -> rounds.get() > before + 50, "the load goes on");
                long pid = larder.status(mount).path("agentPid").asLong();
                ProcessHandle.of(pid).orElseThrow().destroyForcibly();
                await(
                        () -> {
                            Command.Result status = larder.run("status", "-o", "json");
                            return status.exit() == 0
                                    && !status.out().contains("\"agentPid\" : " + pid + ",")
                                    && status.out().contains("\"agentPid\" : ");
                        },
                        "a successor serves");
                assertNotEquals(pid, larder.status(mount).path("agentPid").asLong());
            }
            long before = rounds.get();
            await(() -> rounds.get() > before + 50, "the load goes on after the last kill");
            stop.set(true);
            for (Future<?> load : loads) {
                load.get(60, TimeUnit.SECONDS);
            }
            writer.close();
            appender.close();

            larder.umount(mount);
            larder.dropCache("survival");
            larder.mount(manifest, "m");
            assertArrayEquals(fixed, Files.readAllBytes(mount.resolve("fixed")));
            writer.check(Files.readAllBytes(mount.resolve("written")));
            appender.check(Files.readAllBytes(mount.resolve("appended")));
            renamer.check();
            larder.run("fsck", mount.toString()).ok();
        }
    }

    private static Runnable forever(AtomicBoolean stop, AtomicLong rounds, Callable<?> round) {
        return () -> {
            try {
                while (!stop.get()) {
                    round.call();
                    rounds.incrementAndGet();
                }
            } catch (Exception e) {
                throw new IllegalStateException(round.getClass().getSimpleName() + " saw " + e, e);
            }
        };
    }

    static void await(Callable<Boolean> condition, String what) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (!condition.call()) {
            assertTrue(System.nanoTime() < deadline, () -> "not within 90 s: " + what);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    static byte[] random(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private record Reader(Path file, byte[] expected) implements Callable<Object> {
        @Override
        public Object call() throws IOException {
            assertArrayEquals(expected, Files.readAllBytes(file));
            return null;
        }
    }

    private record Mapped(Path file, byte[] expected) implements Callable<Object> {
        @Override
        public Object call() throws IOException {
            try (FileChannel channel = FileChannel.open(file);
                    Arena arena = Arena.ofConfined()) {
                MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, expected.length, arena);
                assertArrayEquals(expected, map.toArray(ValueLayout.JAVA_BYTE));
            }
            return null;
        }
    }

    /** Overwrites random blocks of one file that stays open. */
    private static final class Writer implements Callable<Object>, AutoCloseable {
        private final RandomAccessFile file;
        private final byte[] expected = new byte[256 * BLOCK];
        private final Random random = new Random(7);

        Writer(Path path) throws IOException {
            file = new RandomAccessFile(path.toFile(), "rw");
            file.write(expected);
        }

        @Override
        public Object call() throws IOException {
            int at = random.nextInt(256) * BLOCK;
            byte[] block = new byte[BLOCK];
            random.nextBytes(block);
            file.seek(at);
            file.write(block);
            System.arraycopy(block, 0, expected, at, BLOCK);
            return null;
        }

        void check(byte[] actual) {
            assertArrayEquals(expected, actual);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Appends numbered records with O_APPEND. */
    private static final class Appender implements Callable<Object>, AutoCloseable {
        private final FileChannel channel;
        private long count;

        Appender(Path path) throws IOException {
            channel = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
        }

        @Override
        public Object call() throws IOException {
            ByteBuffer number = ByteBuffer.allocate(Long.BYTES).putLong(0, count);
            assertEquals(Long.BYTES, channel.write(number));
            count++;
            if (count % 64 == 0) {
                channel.force(false);
            }
            return null;
        }

        void check(byte[] actual) {
            ByteBuffer numbers = ByteBuffer.wrap(actual);
            for (long expected = 0; expected < count; expected++) {
                assertEquals(expected, numbers.getLong(), "each record once, in order");
            }
            assertEquals(0, numbers.remaining());
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** Replaces a file by renaming a new one over it, and makes and removes others. */
    private static final class Renamer implements Callable<Object> {
        private final Path directory;
        private long count;

        Renamer(Path mount) throws IOException {
            directory = Files.createDirectory(mount.resolve("renames"));
        }

        @Override
        public Object call() throws IOException {
            Path fresh = directory.resolve("new-" + count);
            Files.writeString(fresh, Long.toString(count), StandardOpenOption.CREATE_NEW);
            Files.move(fresh, directory.resolve("current"), StandardCopyOption.ATOMIC_MOVE);
            assertEquals(Long.toString(count), Files.readString(directory.resolve("current")));
            Path gone = Files.createFile(directory.resolve("gone-" + count));
            Files.delete(gone);
            count++;
            return null;
        }

        void check() throws IOException {
            assertEquals(Long.toString(count - 1), Files.readString(directory.resolve("current")));
            try (var names = Files.list(directory)) {
                assertEquals(1, names.count());
            }
        }
    }
}
