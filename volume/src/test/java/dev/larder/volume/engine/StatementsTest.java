package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.Opened;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.testing.TestDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Round trips to the database, counted. */
final class StatementsTest {
    @TempDir
    Path directory;

    private final List<String> statements = new CopyOnWriteArrayList<>();

    private Metadata counted(Metadata metadata) {
        return (Metadata) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Metadata.class}, (proxy, method, arguments) -> {
                    if (!List.of("session", "flush").contains(method.getName())) {
                        statements.add(method.getName());
                    }
                    try {
                        return method.invoke(metadata, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private List<String> taken() {
        List<String> taken = new ArrayList<>(statements);
        statements.clear();
        return taken;
    }

    @Test
    void oneStatementWritesAndOneReadsASmallFile() throws Exception {
        try (TestDatabase database = TestDatabase.create();
                PostgresMetadata session = database.open();
                DirectoryStore store = DirectoryStore.open(directory.resolve("objects"));
                ContentNode a = new ContentNode(counted(session), store, directory.resolve("a"), 1 << 30);
                ContentNode b = new ContentNode(counted(session), store, directory.resolve("b"), 1 << 30)) {
            long inode = session.leaseInodes(1);
            Attributes made = session.create(
                    Op.NONE,
                    Attributes.ROOT,
                    FileName.of("f"),
                    new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
            byte[] bytes = new byte[4096];
            Opened opened = a.contents.open(Op.NONE, dev.larder.volume.Caller.ROOT, inode, made, ContentNode.O_WRONLY);
            a.write(inode, opened.handle(), 0, bytes);
            a.close(inode, opened);
            assertEquals(List.of("commit"), taken(), "create, write, close");
            a.store(inode, 100, bytes);
            assertEquals(List.of("commit"), taken(), "open again, write, close");
            assertArrayEquals(new byte[4196], b.load(inode, 5000));
            assertEquals(List.of("content"), taken(), "open, read, close on another node");
            b.load(inode, 5000);
            assertEquals(List.of(), taken(), "open, read, close again");
        }
    }

    /** What tar(1) does with a file. */
    @Test
    void aChangeOfAttributesTakesTheBytesWithIt() throws Exception {
        try (TestDatabase database = TestDatabase.create();
                PostgresMetadata session = database.open();
                DirectoryStore store = DirectoryStore.open(directory.resolve("objects"));
                ContentNode a = new ContentNode(counted(session), store, directory.resolve("a"), 1 << 30);
                ContentNode b = new ContentNode(session, store, directory.resolve("b"), 1 << 30)) {
            long inode = session.leaseInodes(1);
            session.create(
                    Op.NONE,
                    Attributes.ROOT,
                    FileName.of("f"),
                    new NewInode(inode, Attributes.S_IFREG | 0600, 0, 0, 0, null, null, null, false, FileTime.now()));
            byte[] bytes = {1, 2, 3};
            FileTime old = new FileTime(1_000_000_000, 5);
            Opened opened = a.open(inode, ContentNode.O_WRONLY);
            a.write(inode, opened.handle(), 0, bytes);
            taken();
            Attributes changed = a.contents.setAttributes(
                    Op.NONE, inode, new SetAttributes(0640, 7L, 8L, null, old, old, FileTime.now(), false));
            assertEquals(List.of("commit"), taken());
            a.close(inode, opened);
            assertEquals(List.of(), taken(), "nothing is left for the close");
            assertEquals(changed, session.attributes(inode));
            assertEquals(old, changed.mtime());
            assertEquals(Attributes.S_IFREG | 0640, changed.mode());
            assertEquals(7, changed.uid());
            assertArrayEquals(bytes, b.load(inode, 10));
        }
    }

    @Test
    void appendsAreOneRowEach() throws Exception {
        int appends = 1000;
        try (TestDatabase database = TestDatabase.create();
                PostgresMetadata session = database.open();
                DirectoryStore store = DirectoryStore.open(directory.resolve("objects"));
                ContentNode a = new ContentNode(counted(session), store, directory.resolve("a"), 1 << 30)) {
            long inode = session.leaseInodes(1);
            session.create(
                    Op.NONE,
                    Attributes.ROOT,
                    FileName.of("log"),
                    new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
            Opened opened = a.open(inode, ContentNode.O_WRONLY | ContentNode.O_APPEND);
            taken();
            for (int i = 0; i < appends; i++) {
                a.write(inode, opened.handle(), 0, new byte[100]);
                a.contents.flush(Op.NONE, inode);
            }
            a.close(inode, opened);
            assertEquals(appends, taken().size());
            assertEquals(
                    Integer.toString(appends), database.ask("SELECT count(*) FROM larder.extent WHERE ino = " + inode));
            assertEquals(100L * appends, a.attributes(inode).size());
        }
    }
}
