package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * kill -9 of the agent, of agent and supervisor, of the database, of these together and of the store, at random moments while another
 * process writes and fsyncs. After each: what was fsynced is there with its bytes, what was renamed into place is whole,
 * and fsck is clean. Replay with -Dlarder.e2e.seed=SEED.
 */
@Timeout(420)
class CrashTest {
    private static final int ROUNDS = 5;
    private static final List<Victim> TOGETHER = List.of(Victim.AGENT, Victim.AGENT_AND_SUPERVISOR, Victim.AGENT);
    private static final long SEED = Long.getLong("larder.e2e.seed", System.nanoTime());

    private enum Victim {
        AGENT,
        AGENT_AND_SUPERVISOR,
        DATABASE,
        STORE
    }

    @Test
    void onTheDirectoryStoreWhatWasFsyncedIsThere() throws Exception {
        try (Larder larder = Larder.create()) {
            crash(
                    larder,
                    larder.manifest("crash"),
                    null,
                    List.of(Victim.AGENT, Victim.AGENT_AND_SUPERVISOR, Victim.DATABASE));
        }
    }

    @Test
    void onS3WhatWasFsyncedIsThere() throws Exception {
        try (Larder larder = Larder.create()) {
            int port;
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            try (Store store = new Store(larder.home(), port)) {
                crash(
                        larder,
                        S3Server.manifest(larder, "crash", port),
                        store,
                        List.of(Victim.STORE, Victim.AGENT, Victim.DATABASE));
            }
        }
    }

    /**
     * Nobody lives to tell what the crash took: the successor says of every file, once, that it may have lost something.
     * When the supervisor dies, too, nobody has a file open any more.
     */
    @Test
    @Timeout(120)
    void killedTogetherAgentAndDatabaseKeepWhatWasFsynced() throws Exception {
        System.out.println("CrashTest seed " + SEED);
        Random random = new Random(SEED);
        try (Larder larder = Larder.create()) {
            Path manifest = larder.manifest("both");
            Path mount = larder.mount(manifest, "m");
            Path log = larder.home().resolve("promises");
            Path directory = Files.createDirectory(mount.resolve("load"));
            Files.createFile(mount.resolve("witness"));
            for (int round = 0; round < TOGETHER.size(); round++) {
                Victim victim = TOGETHER.get(round);
                String when = "after round " + round + " (" + victim + " and database) of seed " + SEED;
                int before = lines(log).size();
                Process load = load(directory, log, SEED + round);
                try {
                    int wanted = before + 20 + random.nextInt(40);
                    SurvivalTest.await(() -> lines(log).size() > wanted, "the load goes on");
                    larder.killWithDatabase(mount, victim == Victim.AGENT_AND_SUPERVISOR);
                    if (victim == Victim.AGENT_AND_SUPERVISOR) {
                        end(load);
                        larder.run("umount", mount.toString()).ok();
                    }
                    // Nothing here may touch the mount point before: it would wait for the agent.
                    larder.run("mount", manifest.toString(), mount.toString()).ok();
                    Command.Result first = Command.sh(mount, "sync witness");
                    assertEquals(victim == Victim.AGENT ? 1 : 0, first.exit(), () -> first + " " + when);
                    Command.sh(mount, "sync witness").ok();
                } finally {
                    end(load);
                }
                check(directory, lines(log), when);
                Command.Result ended = larder.run("umount", mount.toString());
                boolean told = ended.exit() == 4 && ended.err().contains("lost");
                assertTrue(victim == Victim.AGENT ? told : ended.exit() == 0, () -> ended + " " + when);
                if (round % 2 == 0) {
                    larder.dropCache("both");
                }
                larder.mount(manifest, "m");
                check(directory, lines(log), when + " and a remount");
                larder.run("fsck", "--content", mount.toString()).ok();
            }
        }
    }

    private static void crash(Larder larder, Path manifest, Store store, List<Victim> victims) throws Exception {
        System.out.println("CrashTest seed " + SEED);
        Random random = new Random(SEED);
        Path mount = larder.mount(manifest, "m");
        Path log = larder.home().resolve("promises");
        Path directory = Files.createDirectory(mount.resolve("load"));
        for (int round = 0; round < ROUNDS; round++) {
            Victim victim = victims.get(round < victims.size() ? round : random.nextInt(victims.size()));
            System.out.println("CrashTest round " + round + ": " + victim);
            Process load = load(directory, log, SEED + round);
            try {
                int promises = lines(log).size();
                int wanted = 5 + random.nextInt(40);
                SurvivalTest.await(() -> lines(log).size() > promises + wanted, "the load goes on");
                kill(larder, mount, victim, store, random);
                if (victim == Victim.AGENT_AND_SUPERVISOR) {
                    end(load);
                    larder.run("umount", mount.toString()).ok();
                    larder.mount(manifest, "m");
                } else {
                    int now = lines(log).size();
                    SurvivalTest.await(
                            () -> kept(lines(log)) > kept(lines(log).subList(0, now)) + 5,
                            "the load goes on after " + victim);
                }
            } finally {
                end(load);
            }
            String when = "after round " + round + " (" + victim + ") of seed " + SEED;
            check(directory, lines(log), when);
            umount(larder, mount, victim);
            if (random.nextBoolean()) {
                larder.dropCache("crash");
            }
            larder.mount(manifest, "m");
            check(directory, lines(log), when + " and a remount");
            larder.run("fsck", "--content", mount.toString()).ok();
        }
    }

    /** After a crash of the database it may say that something not fsynced may be lost; it unmounts all the same. */
    private static void umount(Larder larder, Path mount, Victim victim) {
        if (victim == Victim.DATABASE) {
            Command.Result result = larder.run("umount", mount.toString());
            boolean lost = result.exit() == 4 && result.err().contains("lost");
            assertTrue(result.exit() == 0 || lost, result::toString);
        }
        larder.umount(mount);
    }

    private static void kill(Larder larder, Path mount, Victim victim, Store store, Random random) throws Exception {
        switch (victim) {
            case AGENT -> larder.killAgent(mount);
            case AGENT_AND_SUPERVISOR -> larder.killForGood(mount);
            case DATABASE -> {
                larder.embedded().crash();
                TimeUnit.MILLISECONDS.sleep(random.nextInt(2000));
                larder.embedded().ensureRunning(Duration.ofSeconds(60));
            }
            case STORE -> {
                store.kill();
                TimeUnit.MILLISECONDS.sleep(random.nextInt(2000));
                store.start();
            }
        }
    }

    private static Process load(Path directory, Path log, long seed) throws IOException {
        return java(
                "FsyncLoad", log.resolveSibling("load.log"), directory.toString(), log.toString(), Long.toString(seed));
    }

    private static Process java(String main, Path output, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "dev.larder.e2e." + main));
        command.addAll(Arrays.asList(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
    }

    /** Asks it to end, and kills it when it hangs on a dead mount. */
    private static void end(Process load) throws Exception {
        if (load.isAlive()) {
            load.getOutputStream().write('\n');
            load.getOutputStream().flush();
        }
        if (!load.waitFor(20, TimeUnit.SECONDS)) {
            load.destroyForcibly();
        }
        assertTrue(load.waitFor(60, TimeUnit.SECONDS), "the load ends");
    }

    private static List<String> lines(Path log) throws IOException {
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    private static long kept(List<String> promises) {
        return promises.stream()
                .filter(line -> line.matches("(file|moved|record) .*"))
                .count();
    }

    private static void check(Path directory, List<String> promises, String when) throws IOException {
        long records = 0;
        Map<String, List<String>> current = new TreeMap<>();
        for (String promise : promises) {
            String[] words = promise.split(" ", -1);
            switch (words[0]) {
                case "file" ->
                    assertArrayEquals(
                            content(words),
                            Files.readAllBytes(directory.resolve(words[1])),
                            () -> promise + " " + when);
                case "record" -> records = Math.max(records, Long.parseLong(words[1]));
                case "moving" ->
                    current.computeIfAbsent(words[1], name -> new ArrayList<>()).add(promise);
                // What was moved before may not come back.
                case "moved" ->
                    current.computeIfPresent(
                            words[1], (name, all) -> new ArrayList<>(all.subList(all.size() - 1, all.size())));
                default -> assertTrue(words[0].equals("error"), promise);
            }
        }
        for (Map.Entry<String, List<String>> one : current.entrySet()) {
            wholeAndOneOf(directory.resolve(one.getKey()), one.getValue(), promises, when);
        }
        journal(directory.resolve("journal"), records, when);
    }

    /** The file is one of those that were moved there since the last promise; none at all only before the first. */
    private static void wholeAndOneOf(Path file, List<String> candidates, List<String> promises, String when)
            throws IOException {
        boolean promised = promises.stream().anyMatch(line -> line.startsWith("moved " + file.getFileName() + " "));
        if (!promised && !Files.exists(file)) {
            return;
        }
        byte[] bytes = Files.readAllBytes(file);
        assertTrue(
                candidates.stream().anyMatch(line -> Arrays.equals(bytes, content(line.split(" ", -1)))),
                () -> file + " (" + bytes.length + " bytes) is none of " + candidates + " " + when);
    }

    private static byte[] content(String[] words) {
        return FsyncLoad.content(Long.parseLong(words[2]), Integer.parseInt(words[3]));
    }

    private static void journal(Path file, long promised, String when) throws IOException {
        byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
        long whole = bytes.length / FsyncLoad.RECORD_BYTES;
        assertTrue(whole >= promised, () -> whole + " records, promised were " + promised + " " + when);
        for (int number = 0; number < promised; number++) {
            int at = number * FsyncLoad.RECORD_BYTES;
            byte[] record = Arrays.copyOfRange(bytes, at, at + FsyncLoad.RECORD_BYTES);
            int which = number;
            assertArrayEquals(FsyncLoad.record(number).array(), record, () -> "record " + which + " " + when);
        }
    }

    /** The S3 server as a process that can be killed. */
    private static final class Store implements AutoCloseable {
        private final Path home;
        private final int port;
        private Process process;

        Store(Path home, int port) throws Exception {
            this.home = home;
            this.port = port;
            start();
        }

        void start() throws Exception {
            Path output = home.resolve("s3.log");
            Files.deleteIfExists(output);
            process = java("S3Server", output, home.resolve("s3").toString(), Integer.toString(port));
            SurvivalTest.await(() -> Files.readString(output).contains("port " + port), "the S3 server listens");
        }

        void kill() throws Exception {
            process.destroyForcibly();
            assertEquals(137, process.waitFor(), "killed");
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
