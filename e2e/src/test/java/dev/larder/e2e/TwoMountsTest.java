package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two mounts of one volume, each with an agent, a kernel cache and a cache directory of its own, behave as two nodes. */
@Timeout(240)
class TwoMountsTest {
    private static final long SEED = Long.getLong("larder.e2e.seed", 20_260_601);
    private static final int ROUNDS = 200;

    private static Larder larder;
    private static Path manifest;
    private static Path a;
    private static Path b;

    @BeforeAll
    static void mount() throws IOException {
        larder = Larder.create();
        manifest = larder.manifest("shared", """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: shared
                spec:
                  trash: "0"
                """);
        a = larder.mount(manifest, "a");
        b = larder.mount(manifest, "b");
    }

    @AfterAll
    static void umount() throws IOException {
        larder.close();
    }

    @Test
    void eachHasProcessesAndACacheOfItsOwn() throws IOException {
        var one = larder.status(a);
        var other = larder.status(b);
        assertFalse(one.path("agentPid").asLong() == other.path("agentPid").asLong());
        assertFalse(one.path("cacheDirectory")
                .asText()
                .equals(other.path("cacheDirectory").asText()));
        assertEquals(one.path("volumeId").asText(), other.path("volumeId").asText());
        assertTrue(one.path("sessions").asInt() >= 2, one::toString);
    }

    @Test
    void anOpenSeesWhatWasClosedBefore() throws Exception {
        System.out.println("TwoMountsTest seed " + SEED);
        Random random = new Random(SEED);
        Path directory = shared("close-to-open");
        byte[][] expected = new byte[4][];
        for (int file = 0; file < expected.length; file++) {
            expected[file] = bytes(random, 10_000);
            Files.write(directory.resolve("f" + file), expected[file]);
            Path there = onB(directory).resolve("f" + file);
            SurvivalTest.await(() -> Files.exists(there), "the name is seen");
        }
        for (int round = 0; round < ROUNDS; round++) {
            int file = random.nextInt(expected.length);
            Path here = directory.resolve("f" + file);
            Path there = onB(directory).resolve("f" + file);
            boolean turned = random.nextBoolean();
            expected[file] = change(turned ? there : here, expected[file], random);
            byte[] seen = Files.readAllBytes(turned ? here : there);
            int number = round;
            assertArrayEquals(expected[file], seen, () -> "round " + number + " of seed " + SEED);
        }
    }

    /** Changes a file by one open, write and close, in one of the ways that programs do. */
    private static byte[] change(Path file, byte[] old, Random random) throws IOException {
        byte[] fresh = bytes(random, 1 + random.nextInt(random.nextInt(8) == 0 ? 500_000 : 5_000));
        return switch (random.nextInt(4)) {
            case 0 -> {
                Files.write(file, fresh);
                yield fresh;
            }
            case 1 -> {
                Files.write(file, fresh, StandardOpenOption.APPEND);
                yield join(old, fresh);
            }
            case 2 -> {
                int at = random.nextInt(old.length + 1);
                try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                    open.seek(at);
                    open.write(fresh);
                }
                byte[] all = java.util.Arrays.copyOf(old, Math.max(old.length, at + fresh.length));
                System.arraycopy(fresh, 0, all, at, fresh.length);
                yield all;
            }
            default -> {
                int size = random.nextInt(old.length + 5_000);
                try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                    open.setLength(size);
                }
                yield java.util.Arrays.copyOf(old, size);
            }
        };
    }

    @Test
    void namesAreSeenOnTheOtherSide() throws Exception {
        Path here = shared("names");
        for (int round = 0; round < 25; round++) {
            Path from = round % 2 == 0 ? here : onB(here);
            Path to = round % 2 == 0 ? onB(here) : here;
            String name = "n" + round;
            assertFalse(Files.exists(to.resolve(name)), "and the kernel may remember that");
            Files.writeString(from.resolve(name), name);
            SurvivalTest.await(() -> Files.exists(to.resolve(name)), "created");
            assertEquals(name, Files.readString(to.resolve(name)));
            Files.move(from.resolve(name), from.resolve(name + "-moved"));
            SurvivalTest.await(
                    () -> Files.exists(to.resolve(name + "-moved")) && !Files.exists(to.resolve(name)), "moved");
            Files.setPosixFilePermissions(
                    from.resolve(name + "-moved"),
                    java.nio.file.attribute.PosixFilePermissions.fromString("rwx--x---"));
            SurvivalTest.await(
                    () -> Files.getPosixFilePermissions(to.resolve(name + "-moved"))
                                    .size()
                            == 4,
                    "its mode is seen");
            Files.delete(from.resolve(name + "-moved"));
            SurvivalTest.await(() -> !Files.exists(to.resolve(name + "-moved")), "removed");
            Files.createDirectories(from.resolve("d" + round + "/e/f"));
            SurvivalTest.await(() -> Files.isDirectory(to.resolve("d" + name.substring(1) + "/e/f")), "directories");
        }
        SurvivalTest.await(() -> tree(here).equals(tree(onB(here))), "both list the same");
    }

    @Test
    void renamesFromBothSidesNeverMakeALoop() throws Exception {
        System.out.println("TwoMountsTest seed " + SEED);
        Path here = shared("loops");
        int directories = 7;
        for (int number = 0; number < directories; number++) {
            Files.createDirectory(here.resolve("d" + number));
        }
        SurvivalTest.await(() -> tree(onB(here)).size() == directories, "all are seen");
        try (ExecutorService movers = Executors.newFixedThreadPool(4)) {
            List<Future<?>> running = new ArrayList<>();
            for (int mover = 0; mover < 4; mover++) {
                Random random = new Random(SEED + mover);
                Path side = mover % 2 == 0 ? here : onB(here);
                running.add(movers.submit(() -> moveAbout(side, random)));
            }
            for (Future<?> one : running) {
                one.get(180, TimeUnit.SECONDS);
            }
        }
        SurvivalTest.await(() -> tree(here).equals(tree(onB(here))), "both trees are the same");
        assertEquals(directories, tree(here).size(), () -> "every directory hangs on the root: " + tree(here));
        larder.run("fsck", a.toString()).ok();
    }

    /** Moves whatever it finds below whatever it finds, also below itself. */
    private static void moveAbout(Path root, Random random) {
        for (int move = 0; move < 75; move++) {
            List<String> all = List.copyOf(tree(root));
            if (all.isEmpty()) {
                continue;
            }
            Path from = root.resolve(all.get(random.nextInt(all.size())));
            Path below = random.nextInt(3) == 0 ? root : root.resolve(all.get(random.nextInt(all.size())));
            try {
                Files.move(from, below.resolve(from.getFileName()), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                // ESTALE and ELOOP are the kernel's own words for a directory that moved while its path was walked.
                assertTrue(
                        e instanceof java.nio.file.NoSuchFileException
                                || ("" + e.getMessage())
                                        .matches(".*(Invalid argument|Directory not empty|Not a directory"
                                                + "|Stale file handle|Too many levels of symbolic links).*"),
                        () -> "a rename may only lose the race: " + e);
            }
        }
    }

    /** Every path below, as the directories list them; empty while something moves. */
    private static Set<String> tree(Path root) {
        Command.Result found = Command.run(root, "find", ".", "-mindepth", "1", "-printf", "%P\\n");
        return found.exit() == 0 ? new TreeSet<>(found.out().lines().toList()) : new TreeSet<>();
    }

    @Test
    void appendsFromBothSidesLoseNothing() throws Exception {
        Path here = Files.createFile(shared("appends").resolve("log"));
        SurvivalTest.await(() -> Files.exists(onB(here)), "the name is seen");
        int records = 250;
        try (ExecutorService writers = Executors.newFixedThreadPool(4)) {
            List<Future<?>> running = new ArrayList<>();
            for (String writer : List.of("a-opened", "b-opened", "a-held", "b-held")) {
                Path log = writer.startsWith("a") ? here : onB(here);
                running.add(writers.submit(() -> {
                    append(log, writer, records);
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get(180, TimeUnit.SECONDS);
            }
        }
        List<String> lines = Files.readAllLines(here);
        assertEquals(4 * records, lines.size());
        assertEquals(4 * records, new TreeSet<>(lines).size(), "each once");
        assertArrayEquals(Files.readAllBytes(here), Files.readAllBytes(onB(here)));
    }

    private static void append(Path log, String writer, int records) throws IOException {
        FileChannel held = null;
        for (int record = 0; record < records; record++) {
            ByteBuffer line = ByteBuffer.wrap(
                    "%s %04d%n".formatted(writer, record).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            if (held == null) {
                held = FileChannel.open(log, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
            }
            int length = line.remaining();
            assertEquals(length, held.write(line));
            if (writer.endsWith("opened")) {
                held.close();
                held = null;
            }
        }
        if (held != null) {
            held.close();
        }
    }

    @Test
    void anOpenFileThatTheOtherSideUnlinkedStaysReadable() throws Exception {
        Path here = shared("unlinked").resolve("f");
        byte[] bytes = bytes(new Random(SEED), 6_000_000);
        Files.write(here, bytes);
        SurvivalTest.await(() -> Files.exists(onB(here)), "the name is seen");
        try (RandomAccessFile open = new RandomAccessFile(onB(here).toFile(), "r")) {
            assertEquals(bytes[0], open.readByte());
            Files.delete(here);
            SurvivalTest.await(() -> !Files.exists(onB(here)), "the name is gone");
            larder.run("gc", "--age", "0", a.toString()).ok();
            byte[] seen = new byte[bytes.length];
            open.seek(0);
            open.readFully(seen);
            assertArrayEquals(bytes, seen);
        }
    }

    @Test
    void locksHoldAcrossMounts() throws Exception {
        Path here = shared("locks");
        Files.createFile(here.resolve("fcntl"));
        SurvivalTest.await(() -> Files.exists(onB(here).resolve("fcntl")), "the name is seen");
        try (FileChannel one = FileChannel.open(here.resolve("fcntl"), StandardOpenOption.WRITE);
                FileChannel other = FileChannel.open(onB(here).resolve("fcntl"), StandardOpenOption.WRITE)) {
            FileLock first = one.lock(0, 10, false);
            assertNull(other.tryLock(5, 10, false), "overlaps");
            try (FileLock beside = other.tryLock(10, 10, false)) {
                assertNotNull(beside, "does not overlap");
            }
            first.release();
            SurvivalTest.await(() -> other.tryLock(5, 10, false) != null, "free again");
        }
        String relative = larder.home().relativize(here).subpath(1, 2).toString();
        Command.Result counted =
                Command.sh(larder.home(), """
                cd a/%1$s && echo 0 > n && touch lock
                sqlite3 n.db 'CREATE TABLE t(n INTEGER); INSERT INTO t VALUES(0);'
                cd ../..
                until test -e b/%1$s/n.db && test -e b/%1$s/lock; do sleep 0.1; done
                for side in a b a b; do
                  ( cd $side/%1$s
                    for i in $(seq 1 25); do
                      flock lock sh -c 'echo $(( $(cat n) + 1 )) > n'
                      sqlite3 -cmd '.timeout 60000' n.db 'UPDATE t SET n = n + 1;'
                    done ) &
                done
                wait
                cat a/%1$s/n b/%1$s/n
                for side in a b; do sqlite3 $side/%1$s/n.db 'SELECT n FROM t; PRAGMA integrity_check;'; done
                """.formatted(relative)).ok();
        assertEquals("100\n100\n100\nok\n100\nok\n", counted.out(), counted::toString);
    }

    @Test
    void oneDiesTheOtherGoesOnAndGetsItsLocks() throws Exception {
        Path doomed = larder.mount(manifest, "doomed");
        Path directory = shared("survivor");
        Path lock = Files.createFile(directory.resolve("lock"));
        Path there = doomed.resolve("survivor");
        SurvivalTest.await(() -> Files.exists(there.resolve("lock")), "the name is seen");
        Files.writeString(there.resolve("closed"), "closed before the end");
        Process holder = new ProcessBuilder("flock", there.resolve("lock").toString(), "sleep", "600").start();
        try {
            SurvivalTest.await(
                    () -> Command.run(directory, "flock", "-n", lock.toString(), "true")
                                    .exit()
                            != 0,
                    "it is locked");
            larder.killForGood(doomed);
            for (int number = 0; number < 20; number++) {
                Files.writeString(directory.resolve("on-" + number), "still here");
            }
            assertEquals("closed before the end", Files.readString(directory.resolve("closed")));
            Command.run(directory, "flock", "-w", "180", lock.toString(), "true")
                    .ok();
        } finally {
            holder.descendants().forEach(ProcessHandle::destroyForcibly);
            holder.destroyForcibly();
        }
        larder.run("umount", doomed.toString()).ok();
        assertEquals(
                "still here", Files.readString(larder.mount(manifest, "doomed").resolve("survivor/on-19")));
        larder.umount(doomed);
        larder.run("fsck", a.toString()).ok();
    }

    /** A directory that both see; its path on the first mount. */
    private static Path shared(String name) throws Exception {
        Path directory = Files.createDirectory(a.resolve(name));
        SurvivalTest.await(() -> Files.isDirectory(b.resolve(name)), name + " is seen");
        return directory;
    }

    private static Path onB(Path path) {
        return b.resolve(a.relativize(path));
    }

    private static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] join(byte[] one, byte[] other) {
        byte[] both = java.util.Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }
}
