package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.SyncFailedException;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The database behind a volume's URL is replaced by a standby that never got the primary's last commits, as asynchronous
 * replication leaves it.
 */
@Timeout(240)
class PromotedStandbyTest {
    /** More than a lease of inode numbers. */
    private static final int MANY = 1_100;

    private PrimaryAndStandby servers;
    private Forwarder address;

    @BeforeEach
    void primaryBehindAnAddress() throws Exception {
        servers = new PrimaryAndStandby();
        address = new Forwarder(servers.primaryPort());
    }

    @AfterEach
    void end() throws Exception {
        address.close();
        servers.close();
    }

    @Test
    void itsOlderTruthIsTakenAndNothingIsHandedOutTwice() throws Exception {
        try (Larder larder = Larder.create();
                Larder other = Larder.create()) {
            Path manifest = larder.manifest("team", yaml());
            Path mount = larder.mount(manifest, "m");
            Path there = other.home().resolve("m");
            Map<String, byte[]> old = new TreeMap<>();
            for (String name : List.of("appended", "big", "held", "kept", "overwritten", "removed", "renamed", "cut")) {
                byte[] bytes = SurvivalTest.random(name.equals("big") ? 3_000_000 : 50_000, name.hashCode());
                old.put(name, bytes);
                Files.write(mount.resolve(name), bytes);
            }
            // A file of its own: a process that closes any descriptor of a file gives up its locks of it.
            Files.createFile(mount.resolve("locked"));
            Command.sh(mount, "sync -f .").ok();
            try (RandomAccessFile locked =
                            new RandomAccessFile(mount.resolve("locked").toFile(), "rw");
                    FileLock lock = locked.getChannel().lock();
                    RandomAccessFile held =
                            new RandomAccessFile(mount.resolve("held").toFile(), "rw")) {
                assertTrue(lock.isValid());
                servers.copyPrimary();

                byte[] later = SurvivalTest.random(50_000, 1);
                Files.createDirectory(mount.resolve("lost"));
                create(mount.resolve("lost"), "lost");
                Files.write(mount.resolve("appended"), later, StandardOpenOption.APPEND);
                Files.write(mount.resolve("big"), SurvivalTest.random(3_000_000, 2));
                write(mount.resolve("overwritten"), later);
                Files.delete(mount.resolve("removed"));
                Files.move(mount.resolve("renamed"), mount.resolve("moved"));
                try (RandomAccessFile cut =
                        new RandomAccessFile(mount.resolve("cut").toFile(), "rw")) {
                    cut.setLength(10);
                }
                held.write(later);
                Set<Long> seen = inodes(mount);

                promote();
                SurvivalTest.await(() -> Files.exists(mount.resolve("renamed")), "the standby's truth is seen");

                assertFalse(Files.exists(mount.resolve("lost")), "made after the standby's last commit");
                assertFalse(Files.exists(mount.resolve("moved")));
                assertArrayEquals(old.get("kept"), Files.readAllBytes(mount.resolve("kept")));
                assertArrayEquals(old.get("renamed"), Files.readAllBytes(mount.resolve("renamed")));
                assertArrayEquals(old.get("removed"), Files.readAllBytes(mount.resolve("removed")));
                oneOf(mount.resolve("big"), old.get("big"), SurvivalTest.random(3_000_000, 2));
                oneOf(mount.resolve("overwritten"), old.get("overwritten"), later);
                oneOf(mount.resolve("cut"), old.get("cut"), Arrays.copyOf(old.get("cut"), 10));
                oneOf(mount.resolve("appended"), old.get("appended"), both(old.get("appended"), later));
                oneOf(mount.resolve("held"), old.get("held"), later);

                // What cannot be repeated is told once; after that the file goes on.
                sync(held);
                held.seek(0);
                held.write(later);
                held.getFD().sync();
                assertArrayEquals(later, Files.readAllBytes(mount.resolve("held")));

                other.mount(other.manifest("team", yaml()), "m");
                assertArrayEquals(later, Files.readAllBytes(there.resolve("held")));
                try (RandomAccessFile theirs =
                        new RandomAccessFile(there.resolve("locked").toFile(), "rw")) {
                    assertNull(theirs.getChannel().tryLock(), "the lock was asserted again");
                }
                Files.createDirectory(mount.resolve("new"));
                create(mount.resolve("new"), "new");
                Files.createDirectory(there.resolve("theirs"));
                create(there.resolve("theirs"), "theirs");
                for (String directory : List.of("new", "theirs")) {
                    for (long inode : inodes(mount.resolve(directory))) {
                        assertTrue(seen.add(inode), () -> "inode number " + inode + " was handed out twice");
                    }
                }
                Command.sh(mount, "sync -f .");
                Command.sh(there, "sync -f .").ok();
                check(mount.resolve("new"), "new");
                check(mount.resolve("theirs"), "theirs");
                check(there.resolve("new"), "new");
            }
            Map<String, byte[]> before = contents(mount);
            same(before, contents(there));
            larder.run("fsck", "--content", mount.toString()).ok();
            umountTelling(larder, mount);
            larder.dropCache("team");
            larder.mount(manifest, "m");
            same(before, contents(mount));
            try (RandomAccessFile file =
                            new RandomAccessFile(mount.resolve("kept").toFile(), "rw");
                    FileLock lock = file.getChannel().tryLock()) {
                assertNotNull(lock);
            }
            larder.umount(mount);
            other.umount(there);
        }
    }

    /** One mount's commit is lost; another's, on the same file, is there before the first has seen the standby. */
    @Test
    void aLostCommitThatAnotherMountOvertookIsTold() throws Exception {
        try (Larder larder = Larder.create();
                Larder other = Larder.create();
                Forwarder theirs = new Forwarder(servers.primaryPort())) {
            Path mount = larder.mount(larder.manifest("team", yaml()), "m");
            Path there = other.mount(other.manifest("team", yaml(theirs)), "m");
            byte[] old = SurvivalTest.random(50_000, 1);
            for (String name : List.of("overtaken", "repeated")) {
                Files.write(mount.resolve(name), old);
            }
            try (RandomAccessFile kept =
                    new RandomAccessFile(mount.resolve("overtaken").toFile(), "rw")) {
                kept.getFD().sync();
                servers.copyPrimary();
                byte[] lost = SurvivalTest.random(20_000, 2);
                kept.write(lost);
                write(mount.resolve("repeated"), lost);
                try (RandomAccessFile made =
                        new RandomAccessFile(mount.resolve("made").toFile(), "rw")) {
                    made.write(lost);
                    kept.getFD().sync();

                    address.cut();
                    theirs.cut();
                    servers.crashPrimary();
                    theirs.to(servers.standbyPort());
                    servers.promoteWhenAsked();
                    // As many versions as were lost, and more.
                    for (int times = 0; times < 5; times++) {
                        try (RandomAccessFile file =
                                new RandomAccessFile(there.resolve("overtaken").toFile(), "rw")) {
                            file.seek(40_000);
                            file.write(lost, 0, 1000 + times);
                            file.getFD().sync();
                        }
                    }
                    address.to(servers.standbyPort());
                    SurvivalTest.await(() -> !Files.exists(mount.resolve("made")), "the standby's truth is seen");
                    assertThrows(SyncFailedException.class, () -> kept.getFD().sync(), "it is lost");
                    kept.getFD().sync();
                    assertThrows(IOException.class, () -> made.getFD().sync(), "the file itself is lost");
                }
                byte[] merged = Arrays.copyOf(old, old.length);
                System.arraycopy(lost, 0, merged, 40_000, 1004);
                assertArrayEquals(merged, Files.readAllBytes(there.resolve("overtaken")));
                assertArrayEquals(merged, Files.readAllBytes(mount.resolve("overtaken")));
                oneOf(mount.resolve("repeated"), old, overwritten(old, lost));
                Command.Result busy = larder.run("umount", mount.toString());
                assertEquals(1, busy.exit(), busy::toString);
            }
            umountTelling(larder, mount);
            larder.mount(larder.manifest("team", yaml()), "m");
            same(contents(there), contents(mount));
            larder.run("fsck", "--content", mount.toString()).ok();
            larder.umount(mount);
            other.umount(there);
        }
    }

    /** No address moves: the manifest names the primary and the standby. */
    @Test
    void theUrlMayNameBothServers() throws Exception {
        String second = "127.0.0.1:" + servers.standbyPort();
        String both = "postgresql://" + second + ",127.0.0.1:" + servers.primaryPort() + "/postgres";
        byte[] bytes = SurvivalTest.random(50_000, 1);
        try (Larder larder = Larder.create()) {
            Path mount = larder.mount(larder.manifest("team", both(both)), "m");
            Files.write(mount.resolve("before"), bytes);
            Command.sh(mount, "sync before .").ok();
            servers.copyPrimary();
            Files.write(mount.resolve("written"), bytes);
            assertTrue(Files.exists(mount.resolve("written")), "the standby is passed over");
            Command.sh(mount, "sync written .").ok();
            String metadata = larder.status(mount).path("metadata").asText();
            assertTrue(metadata.contains(second) && metadata.contains(":" + servers.primaryPort()), metadata);

            servers.crashPrimary();
            servers.promote();
            Files.write(mount.resolve("after"), bytes);
            // It was on its way while the database changed: that may be told.
            Command.sh(mount, "sync after || sync after").ok();
            assertArrayEquals(bytes, Files.readAllBytes(mount.resolve("before")));
            larder.run("fsck", "--content", mount.toString()).ok();
            umountTelling(larder, mount);

            // The old primary is gone for good.
            mount = larder.mount(larder.manifest("team", both("postgresql://" + second)), "m");
            assertArrayEquals(bytes, Files.readAllBytes(mount.resolve("after")));
            assertArrayEquals(bytes, Files.readAllBytes(mount.resolve("before")));
            larder.umount(mount);

            Path elsewhere = larder.manifest("team", both("postgresql://127.0.0.1:" + servers.primaryPort()));
            Command.Result other = larder.run("mount", elsewhere.toString(), mount.toString());
            assertTrue(other.exit() == 1 && other.err().contains("its metadata are in"), other::toString);
        }
    }

    private String both(String url) {
        return Larder.sharedYaml(url, servers.login(), servers.objects());
    }

    /** What no fsync has told, and what it could not write again, is told here. */
    private static void umountTelling(Larder larder, Path mount) {
        Command.Result ended = larder.run("umount", mount.toString());
        assertTrue(ended.exit() == 4 && ended.err().contains("lost"), ended::toString);
    }

    private static byte[] overwritten(byte[] old, byte[] beginning) {
        byte[] bytes = Arrays.copyOf(old, old.length);
        System.arraycopy(beginning, 0, bytes, 0, beginning.length);
        return bytes;
    }

    /** The primary dies, the address leads to the standby, which is promoted when the agent has found it. */
    private void promote() throws Exception {
        address.cut();
        servers.crashPrimary();
        address.to(servers.standbyPort());
        servers.promoteWhenAsked();
    }

    // ---- files

    private static void create(Path directory, String text) throws IOException {
        for (int number = 0; number < MANY; number++) {
            Files.writeString(directory.resolve("f" + number), text + number, StandardOpenOption.CREATE_NEW);
        }
    }

    private static void check(Path directory, String text) throws IOException {
        for (int number = 0; number < MANY; number++) {
            assertEquals(text + number, Files.readString(directory.resolve("f" + number)));
        }
    }

    /** In place: the inode is the same. */
    private static void write(Path file, byte[] bytes) throws IOException {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "rw")) {
            in.write(bytes);
        }
    }

    private static void sync(RandomAccessFile file) throws IOException {
        try {
            file.getFD().sync();
        } catch (IOException e) {
            assertTrue(e.toString().contains("sync failed"), e::toString);
            file.getFD().sync();
        }
    }

    private static void oneOf(Path file, byte[] old, byte[] later) throws IOException {
        byte[] found = Files.readAllBytes(file);
        assertTrue(
                Arrays.equals(found, old) || Arrays.equals(found, later),
                () -> file + " is neither what the standby has nor what was written again: " + found.length
                        + " bytes, differs from the old at " + Arrays.mismatch(found, old) + ", from the new at "
                        + Arrays.mismatch(found, later));
    }

    private static byte[] both(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static Set<Long> inodes(Path root) throws IOException {
        Set<Long> inodes = new HashSet<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.toList()) {
                inodes.add((Long) Files.getAttribute(path, "unix:ino"));
            }
        }
        return inodes;
    }

    private static Map<String, byte[]> contents(Path root) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                contents.put(root.relativize(path).toString(), Files.readAllBytes(path));
            }
        }
        return contents;
    }

    private static void same(Map<String, byte[]> expected, Map<String, byte[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((path, bytes) -> assertArrayEquals(bytes, found.get(path), path));
    }

    private String yaml() {
        return yaml(address);
    }

    private String yaml(Forwarder leading) {
        return Larder.sharedYaml(leading.port(), servers.login(), servers.objects());
    }
}
