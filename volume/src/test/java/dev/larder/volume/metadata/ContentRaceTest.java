package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Errno;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Maintenance.FileExtent;
import dev.larder.volume.metadata.Maintenance.Move;
import dev.larder.volume.metadata.Metadata.Committed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Content that several sessions change at once, statements that are sent again, members that fail. */
final class ContentRaceTest {
    private ScratchVolume volume;
    private PostgresMetadata first;
    private PostgresMetadata second;

    @BeforeEach
    void start() {
        volume = new ScratchVolume();
        first = volume.session();
        second = volume.session();
    }

    @AfterEach
    void stop() {
        volume.close();
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void together(Work one, Work other) throws Exception {
        try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
            List<Future<?>> running = new ArrayList<>();
            for (Work work : List.of(one, other)) {
                running.add(executor.submit(() -> {
                    work.run();
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get(2, TimeUnit.MINUTES);
            }
        }
    }

    @Test
    void appendsOfTwoSessionsLoseNothing() throws Exception {
        long inode = volume.file(first, 1, "log");
        together(() -> appendMany(first, inode, 300), () -> appendMany(second, inode, 300));
        Metadata.Content content = first.content(inode, 0, Long.MAX_VALUE);
        assertEquals(600 * 100, content.attributes().size());
        assertEquals(600 * 100, content.attributes().allocated());
        assertEquals(600, content.extents().size());
        assertEquals(List.of(), first.maintenance().check(false, rows -> {}));
    }

    private static void appendMany(PostgresMetadata session, long inode, int count) {
        for (int i = 0; i < count; i++) {
            session.commit(Op.NONE, List.of(ScratchVolume.append(inode, new byte[100])));
        }
    }

    @Test
    void commitsOfOneRangeByTwoSessionsNeverOverlap() throws Exception {
        long inode = volume.file(first, 1, "a");
        long other = volume.file(first, 1, "b");
        together(() -> overwriteMany(first, inode, other), () -> overwriteMany(second, other, inode));
        assertEquals(List.of(), first.maintenance().check(false, rows -> {}));
        assertEquals(400, first.attributes(inode).version());
        assertEquals(400, first.attributes(other).version());
    }

    /** Two files in either order: the statement locks by inode. */
    private static void overwriteMany(PostgresMetadata session, long one, long two) {
        for (int i = 0; i < 200; i++) {
            session.commit(
                    Op.NONE,
                    List.of(
                            ScratchVolume.write(one, ScratchVolume.inline(i % 7 * 10L, new byte[25])),
                            ScratchVolume.write(two, ScratchVolume.inline(i % 5 * 10L, new byte[35]))));
        }
    }

    @Test
    void aBadMemberFailsAlone() {
        long good = volume.file(first, 1, "a");
        long directory = volume.directory(first, 1, "d");
        List<Committed> answers = first.commit(
                Op.NONE,
                List.of(
                        ScratchVolume.write(999_999, ScratchVolume.inline(0, new byte[9])),
                        ScratchVolume.write(directory, ScratchVolume.inline(0, new byte[9])),
                        ScratchVolume.write(good, ScratchVolume.inline(0, new byte[9]))));
        assertEquals(Errno.ESTALE.value(), answers.get(0).errno());
        assertNull(answers.get(0).attributes());
        assertEquals(Errno.EISDIR.value(), answers.get(1).errno());
        assertEquals(0, answers.get(2).errno());
        assertEquals(9, answers.get(2).attributes().size());
    }

    @Test
    void anAppendThatIsSentAgainIsAnsweredNotDone() {
        long inode = volume.file(first, 1, "log");
        first.commit(Op.NONE, List.of(ScratchVolume.append(inode, new byte[10])));
        Metadata.Commit append = ScratchVolume.append(inode, new byte[100]);
        Committed done = first.commit(new Op(4, false), List.of(append)).getFirst();
        Committed again = first.commit(new Op(4, true), List.of(append)).getFirst();
        assertEquals(10, done.appendedAt());
        assertEquals(done, again);
        assertEquals(110, first.attributes(inode).size());
    }

    @Test
    void aCommitClearsSuidAndRaisesTheVersion() {
        long inode = volume.file(first, 1, "a");
        first.setAttributes(
                Op.NONE, inode, new SetAttributes(06755, null, null, null, null, null, ScratchVolume.NOW, false));
        long before = first.attributes(inode).version();
        Committed answer = first.commit(
                        Op.NONE,
                        List.of(new Metadata.Commit(inode, 0, 5, false, true, ScratchVolume.NOW, List.of(), null)))
                .getFirst();
        assertEquals(0755, answer.attributes().mode() & 07777);
        assertEquals(before, answer.previousVersion());
        assertEquals(before + 1, answer.attributes().version());
        assertEquals(5, answer.attributes().size());
        assertEquals(0, answer.attributes().allocated());
    }

    @Test
    void aMoveReplacesOnlyWhatStillStands() {
        long inode = volume.file(first, 1, "a");
        first.commit(
                Op.NONE,
                List.of(ScratchVolume.write(
                        inode, ScratchVolume.inline(0, new byte[100]), ScratchVolume.inline(100, new byte[100]))));
        Maintenance packer = first.maintenance();
        List<FileExtent> inline = packer.inlineExtents(Duration.ZERO, 1 << 20);
        assertEquals(2, inline.size());
        second.commit(Op.NONE, List.of(ScratchVolume.write(inode, ScratchVolume.inline(150, new byte[10]))));
        UUID segment = new UUID(first.session().getMostSignificantBits(), 1);
        List<Boolean> moved = packer.move(List.of(
                new Move(inode, inline.get(0).extent(), moved(inline.get(0).extent(), segment, 0)),
                new Move(inode, inline.get(1).extent(), moved(inline.get(1).extent(), segment, 100))));
        assertEquals(List.of(true, false), moved);
        List<Extent> extents = second.content(inode, 0, Long.MAX_VALUE).extents();
        assertEquals(
                List.of(ExtentKind.SEGMENT, ExtentKind.INLINE, ExtentKind.INLINE, ExtentKind.INLINE),
                extents.stream().map(Extent::kind).toList());
        assertEquals(segment, extents.getFirst().segment());
        assertEquals(List.of(true), packer.knownSegments(List.of(segment)));
        assertEquals(List.of(), packer.check(false, rows -> {}));
    }

    private static Extent moved(Extent extent, UUID segment, long storedOffset) {
        Extent place = ScratchVolume.segment(extent.offset(), (int) extent.length(), segment, storedOffset);
        return new Extent(
                extent.offset(),
                extent.length(),
                ExtentKind.SEGMENT,
                extent.content(),
                extent.skip(),
                segment,
                place.frames(),
                null);
    }

    @Test
    void movesRaceWithCommits() throws Exception {
        long inode = volume.file(first, 1, "a");
        Maintenance packer = second.maintenance();
        AtomicBoolean done = new AtomicBoolean();
        together(
                () -> {
                    try {
                        overwriteMany(first, inode, inode);
                    } finally {
                        done.set(true);
                    }
                },
                () -> {
                    for (long i = 0; !done.get(); i++) {
                        UUID segment = new UUID(second.session().getMostSignificantBits(), i);
                        List<Move> moves = new ArrayList<>();
                        for (FileExtent each : packer.inlineExtents(Duration.ZERO, 1 << 20)) {
                            moves.add(new Move(inode, each.extent(), moved(each.extent(), segment, 0)));
                        }
                        packer.move(moves);
                    }
                });
        assertEquals(List.of(), packer.check(false, rows -> {}));
        assertNotNull(first.content(inode, 0, 1).attributes());
    }

    @Test
    void tenThousandAppendsStayLinearAndPackIntoOne() throws Exception {
        long inode = volume.file(first, 1, "log");
        for (int i = 0; i < 100; i++) {
            List<Metadata.Commit> group = new ArrayList<>();
            for (int j = 0; j < 100; j++) {
                group.add(ScratchVolume.append(inode, new byte[100]));
            }
            assertEquals(
                    (i * 100L + 99) * 100,
                    first.commit(Op.NONE, group).getLast().appendedAt());
        }
        assertEquals(10_000, volume.count("SELECT count(*) FROM larder.extent"));
        assertEquals(1_000_000, volume.count("SELECT sum(octet_length(data)) FROM larder.extent"));
        assertTrue(volume.count("SELECT pg_total_relation_size('larder.extent')") < 10_000 * 600);

        List<FileExtent> run = first.maintenance().inlineExtents(Duration.ZERO, 8 << 20);
        assertEquals(10_000, run.size());
        UUID segment = new UUID(first.session().getMostSignificantBits(), 7);
        List<Boolean> moved = first.maintenance()
                .move(List.of(new Move(
                        inode,
                        run.stream().map(FileExtent::extent).toList(),
                        ScratchVolume.segment(0, 1_000_000, segment, 0))));
        assertEquals(List.of(true), moved);
        assertEquals(1, first.content(inode, 0, Long.MAX_VALUE).extents().size());
        assertEquals(List.of(), first.maintenance().check(false, rows -> {}));
    }
}
