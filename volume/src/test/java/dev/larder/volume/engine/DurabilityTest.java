package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What fsync says is true, also when the database lost commits in between. */
final class DurabilityTest {
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

    private static byte[] bytes(long inode) {
        return String.format("%020d", inode).repeat(100).getBytes(StandardCharsets.US_ASCII);
    }
}
