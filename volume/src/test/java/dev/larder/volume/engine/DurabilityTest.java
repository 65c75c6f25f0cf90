package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.testing.TestDatabase;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What fsync says is true, also when the database lost commits in between. */
final class DurabilityTest {
    private static final long INODE = 7;

    @TempDir
    Path directory;

    @Test
    void commitsThatADatabaseCrashTookAreWrittenAgainByFsync() throws Exception {
        try (TestDatabase database = TestDatabase.create();
                PostgresMetadata session = database.open();
                DirectoryStore store = DirectoryStore.open(directory.resolve("objects"));
                ContentNode node = new ContentNode(session, store, directory.resolve("cache"), 1 << 30)) {
            List<Long> inodes = create(session, 50);
            session.flush();
            for (long inode : inodes) {
                node.store(inode, 0, bytes(inode));
            }
            database.crashServer();
            for (long inode : inodes) {
                Opened opened = node.open(inode, ContentNode.O_RDWR);
                boolean told = false;
                try {
                    node.contents.fsync(inode, false);
                } catch (ErrnoException e) {
                    told = true;
                }
                assertTrue(told || session.attributes(inode).size() == 2000, "fsync of " + inode + " lied");
                node.close(inode, opened);
            }
            try (ContentNode other = new ContentNode(session, store, directory.resolve("other"), 1 << 30)) {
                for (long inode : inodes) {
                    assertEquals(2000, other.attributes(inode).size());
                    assertArrayEquals(bytes(inode), other.load(inode, 3000));
                }
            }
        }
    }

    /** Most of the inodes are not in hand any more when the crash is found out. */
    @Test
    void oneSyncFindsEverythingThatACrashTook() throws Exception {
        ContentOptions quiet = ContentNode.QUIET;
        ContentOptions options = new ContentOptions(
                quiet.inlineBytes(),
                quiet.readaheadBytes(),
                quiet.prefetchBytes(),
                quiet.passthroughBytes(),
                quiet.dirtyLimitBytes(),
                quiet.flushAge(),
                quiet.patience(),
                2,
                quiet.uploads(),
                quiet.fetches());
        try (TestDatabase database = TestDatabase.create();
                PostgresMetadata session = database.open();
                DirectoryStore store = DirectoryStore.open(directory.resolve("objects"));
                ContentNode node = new ContentNode(
                        session, store, directory.resolve("cache"), 1 << 30, options, new RecordingKernel(), false)) {
            List<Long> inodes = create(session, 50);
            session.flush();
            for (long inode : inodes) {
                node.store(inode, 0, bytes(inode));
            }
            database.crashServer();
            boolean told = fails(node.contents::syncAll);
            List<Long> lost = inodes.stream()
                    .filter(inode -> session.attributes(inode).size() != 2000)
                    .toList();
            assertTrue(told || lost.isEmpty(), () -> "sync lied of " + lost);
            for (long inode : inodes) {
                node.load(inode, 3000);
            }
            assertFalse(fails(node.contents::syncAll), "nothing is found out later");
        }
    }

    private static boolean fails(Runnable call) {
        try {
            call.run();
            return false;
        } catch (ErrnoException e) {
            return true;
        }
    }

    private static List<Long> create(PostgresMetadata session, int count) {
        List<Long> inodes = new ArrayList<>();
        long first = session.leaseInodes(count);
        for (long inode = first; inode < first + count; inode++) {
            session.create(
                    Op.NONE,
                    Attributes.ROOT,
                    FileName.of("f" + inode),
                    new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
            inodes.add(inode);
        }
        return inodes;
    }

    /** The first incarnation's versions are 1, 2, ..., the second's begin here. */
    private static final long SECOND = 1L << 32;

    private final AtomicReference<UUID> incarnation = new AtomicReference<>(new UUID(1, 1));
    private final Durability durability = new Durability((Metadata) Proxy.newProxyInstance(
            Metadata.class.getClassLoader(), new Class<?>[] {Metadata.class}, (proxy, method, arguments) -> {
                assertEquals("flush", method.getName());
                return incarnation.get();
            }));

    /** fsync, the background and commits of the same inodes take the same locks in the same order. */
    @Test
    void flushesAndCommitsNeverWaitForEachOther() throws Exception {
        durability.begin();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            threads.add(Thread.ofPlatform().daemon().start(() -> {
                for (int round = 0; round < 50_000; round++) {
                    commit(round, round + 1);
                }
            }));
            threads.add(Thread.ofPlatform().daemon().start(() -> {
                for (int round = 0; round < 50_000; round++) {
                    durability.flush();
                }
            }));
        }
        for (Thread thread : threads) {
            assertTrue(thread.join(Duration.ofMinutes(1)), () -> thread + " waits for another");
        }
    }

    @Test
    void aCommitThatALaterOneOvertookIsLostWhateverTheVersion() {
        durability.begin();
        commit(4, 5);
        crash();
        commit(4, SECOND + 1);
        durability.flush();
        assertTrue(isLostAt(SECOND + 1), "nobody knew of the crash yet");
    }

    @Test
    void aCommitThatWasThereWhenALaterOneWasMadeIsNotLost() {
        durability.begin();
        commit(4, 5);
        crash();
        durability.flush();
        commit(5, SECOND + 1);
        assertFalse(durability.isSuspect(INODE), "the later commit was made to it");
        assertFalse(isLostAt(SECOND + 1));
    }

    @Test
    void aCommitThatWasNotThereWhenALaterOneWasMadeIsLost() {
        durability.begin();
        commit(4, 5);
        crash();
        durability.flush();
        commit(4, SECOND + 1);
        assertTrue(isLostAt(SECOND + 1));
        assertFalse(isLostAt(SECOND + 1), "once");
    }

    @Test
    void whatAnotherMountChangedAfterTheCrashHidesWhetherItIsLost() {
        durability.begin();
        commit(4, 5);
        crash();
        durability.flush();
        assertTrue(isLostAt(SECOND + 1), "the other was first");

        commit(SECOND + 1, SECOND + 2);
        crash();
        commit(2 * SECOND + 1, 2 * SECOND + 2);
        durability.flush();
        assertTrue(isLostAt(2 * SECOND + 2), "also when this mount changed it next, before it asked");
    }

    @Test
    void anAttributeThatIsChangedHidesNoLoss() {
        durability.begin();
        commit(4, 5);
        crash();
        durability.changed(durability.incarnation(), attributes(4));
        durability.flush();
        assertTrue(isLostAt(4));
    }

    @Test
    void whatAPromotedStandbyLacksIsToldThoughItWasDurable() {
        durability.begin();
        commit(4, 5);
        durability.flush();
        crash();
        durability.findOut(INODE, true);
        assertTrue(durability.isSuspect(INODE));
        assertTrue(isLostAt(4));
        assertFalse(durability.takeUntold(), "the fsync told");

        commit(4, SECOND + 1);
        durability.flush();
        crash();
        durability.flush();
        assertFalse(isLostAt(SECOND + 1), "it is there");

        commit(SECOND + 1, 2 * SECOND + 1);
        durability.flush();
        crash();
        commit(SECOND + 1, 3 * SECOND + 1);
        durability.flush();
        assertTrue(isLostAt(3 * SECOND + 1), "also when this mount has changed it since, and knew nothing");
    }

    @Test
    void ofAFileThatWasCutToNothingNothingIsMissed() {
        durability.begin();
        commit(4, 5);
        crash();
        durability.emptied(durability.incarnation(), attributes(SECOND + 1));
        durability.flush();
        assertFalse(isLostAt(SECOND + 1));
    }

    @Test
    void ofManyDurableCommitsTheLastAreRemembered() {
        durability.begin();
        for (long inode = 1; inode <= Durability.REMEMBERED + 1; inode++) {
            durability.committed(durability.incarnation(), 0, attributes(inode, 1), List.of());
            durability.flush();
        }
        crash();
        durability.flush();
        assertEquals(Durability.REMEMBERED, durability.suspects().size());
        assertFalse(durability.isSuspect(1));
    }

    private void commit(long previousVersion, long version) {
        durability.committed(durability.incarnation(), previousVersion, attributes(version), List.of());
    }

    private void crash() {
        incarnation.set(new UUID(incarnation.get().getMostSignificantBits() + 1, 1));
    }

    /** Compared with what the database has, an fsync says that something is lost. */
    private boolean isLostAt(long version) {
        durability.recover(new OpenInode(INODE, null), attributes(version));
        assertFalse(durability.isSuspect(INODE));
        return durability.takeLost(INODE);
    }

    private static Attributes attributes(long version) {
        return attributes(INODE, version);
    }

    private static Attributes attributes(long inode, long version) {
        FileTime at = FileTime.now();
        return new Attributes(
                inode, Attributes.S_IFREG | 0644, 0, 0, 1, 0, 10, 10, at, at, at, at, version, 0, Attributes.ROOT, 0);
    }

    private static byte[] bytes(long inode) {
        return String.format("%020d", inode).repeat(100).getBytes(StandardCharsets.US_ASCII);
    }
}
