package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.Content;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.objects.SegmentStore;
import dev.larder.volume.testing.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** However much of a file is in its rows, an answer has a bounded size. */
final class LargeAnswersTest {
    private static final int PIECE = 64 << 10;
    private static final int PIECES = 80;
    private static final int TINY = 20_000;

    @TempDir
    Path directory;

    private TestDatabase database;
    private PostgresMetadata session;
    private DirectoryStore store;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.create();
        session = database.open();
        store = DirectoryStore.open(directory.resolve("objects"));
    }

    @AfterEach
    void close() {
        session.close();
        database.close();
    }

    @Test
    void aFileOfManyInlineExtentsIsReadByAnswers() throws Exception {
        byte[] bytes = new byte[PIECE * PIECES];
        new Random(1).nextBytes(bytes);
        long inode = file("pieces");
        try (ContentNode a = new ContentNode(session, store, directory.resolve("a"), 1 << 30);
                ContentNode b = new ContentNode(session, store, directory.resolve("b"), 1 << 30)) {
            for (int at = 0; at < bytes.length; at += PIECE) {
                a.store(inode, at, java.util.Arrays.copyOfRange(bytes, at, at + PIECE));
            }
            List<Extent> all = new ArrayList<>();
            int answers = 0;
            for (long at = 0; at < bytes.length; answers++) {
                Content answer = session.content(inode, at, bytes.length);
                long held = answer.extents().stream()
                        .mapToLong(extent -> extent.data().length)
                        .sum();
                assertTrue(held <= 1 << 20, () -> held + " bytes in one answer");
                all.addAll(answer.extents());
                at = answer.end();
            }
            assertEquals(PIECES, all.stream().map(Extent::offset).distinct().count());
            assertEquals(PIECES, all.size(), "none comes twice");
            assertTrue(answers >= 5, "answers: " + answers);
            assertArrayEquals(bytes, b.load(inode, bytes.length + 10));
        }
    }

    @Test
    void tinyExtentsArePackedByBatches() throws Exception {
        long inode = file("tiny");
        List<Extent> extents = new ArrayList<>();
        try (ContentNode node = new ContentNode(session, store, directory.resolve("a"), 1 << 30)) {
            for (int i = 0; i < TINY; i++) {
                extents.add(new Extent(
                        2L * i, 1, ExtentKind.INLINE, UUID.randomUUID(), 0, null, null, new byte[] {(byte) i}));
            }
            for (int from = 0; from < TINY; from += 1000) {
                session.commit(
                        Op.NONE,
                        List.of(new Commit(
                                inode,
                                0,
                                2L * TINY,
                                false,
                                false,
                                FileTime.now(),
                                extents.subList(from, from + 1000),
                                null)));
            }
            int batch = session.maintenance()
                    .inlineExtents(Duration.ZERO, SegmentStore.MAX_SEGMENT_BYTES)
                    .size();
            assertTrue(batch > 1000 && batch < TINY, "extents in a batch: " + batch);
            byte[] read = node.load(inode, 2 * TINY);
            for (int i = 0; i < TINY; i++) {
                assertEquals((byte) i, read[2 * i]);
            }
        }
    }

    private long file(String name) {
        long inode = session.leaseInodes(1);
        session.create(
                Op.NONE,
                Attributes.ROOT,
                FileName.of(name),
                new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, FileTime.now()));
        return inode;
    }
}
