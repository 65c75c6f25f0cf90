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
            List<Long> inodes = new ArrayList<>();
            long first = session.leaseInodes(50);
            for (long inode = first; inode < first + 50; inode++) {
                session.create(
                        Op.NONE,
                        Attributes.ROOT,
                        FileName.of("f" + inode),
                        new NewInode(
                                inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
                inodes.add(inode);
            }
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

    /** The versions of what was lost were handed out again before a flush could tell. */
    @Test
    void aCommitThatALaterOneOvertookIsLostWhateverTheVersion() {
        AtomicReference<UUID> incarnation = new AtomicReference<>(new UUID(1, 1));
        Metadata metadata = (Metadata) Proxy.newProxyInstance(
                Metadata.class.getClassLoader(), new Class<?>[] {Metadata.class}, (proxy, method, arguments) -> {
                    assertEquals("flush", method.getName());
                    return incarnation.get();
                });
        Durability durability = new Durability(metadata);
        durability.begin();
        UUID before = durability.incarnation();
        durability.committed(before, 4, attributes(5), List.of());
        incarnation.set(new UUID(2, 2));
        durability.committed(before, 4, attributes(5), List.of());
        durability.flush();
        assertTrue(durability.isSuspect(INODE));
        durability.recover(new OpenInode(INODE, null), attributes(5));
        assertTrue(durability.takeLost(INODE), "an fsync says so");

        durability.committed(before, 5, attributes(6), List.of());
        durability.flush();
        durability.committed(durability.incarnation(), 5, attributes(6), List.of());
        durability.recover(new OpenInode(INODE, null), attributes(6));
        assertTrue(durability.takeLost(INODE), "also when the flush came between");

        durability.committed(before, 6, attributes(7), List.of());
        durability.flush();
        durability.committed(durability.incarnation(), 7, attributes(8), List.of());
        durability.recover(new OpenInode(INODE, null), attributes(8));
        assertFalse(durability.takeLost(INODE), "the crash took nothing");
    }

    private static Attributes attributes(long version) {
        FileTime at = FileTime.now();
        return new Attributes(
                INODE, Attributes.S_IFREG | 0644, 0, 0, 1, 0, 10, 10, at, at, at, at, version, 0, Attributes.ROOT, 0);
    }

    private static byte[] bytes(long inode) {
        return String.format("%020d", inode).repeat(100).getBytes(StandardCharsets.US_ASCII);
    }
}
