package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.FileName;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Maintenance.FileExtent;
import dev.larder.volume.metadata.Maintenance.Finding;
import dev.larder.volume.metadata.Maintenance.Move;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sums over several pages, pages that end anywhere, and checks of a volume that others change meanwhile. */
final class MetadataCheckPagesTest {
    private static final int CHILDREN = 11;
    private static final long DEADLINE_SECONDS = 120;

    private ScratchVolume volume;
    private PostgresMetadata session;
    private PostgresMaintenance maintenance;
    private long wide;
    private long tall;

    /** A directory of 11 directories and 11 files, a file of 11 extents with 11 names, an empty directory, a lone file. */
    @BeforeEach
    void start() {
        volume = new ScratchVolume();
        session = volume.session();
        maintenance = (PostgresMaintenance) session.maintenance();
        wide = volume.directory(session, 1, "wide");
        tall = volume.file(session, 1, "long");
        for (int i = 0; i < CHILDREN; i++) {
            long below = volume.directory(session, wide, "d" + i);
            volume.file(session, below, "f");
            volume.file(session, wide, "f" + i);
            session.commit(Op.NONE, List.of(ScratchVolume.append(tall, new byte[10])));
            if (i > 0) {
                session.link(Op.NONE, tall, below, FileName.of("link"), ScratchVolume.NOW);
            }
        }
        volume.directory(session, 1, "empty");
        long lone = volume.file(session, 1, "lone");
        session.commit(Op.NONE, List.of(ScratchVolume.append(lone, new byte[10])));
    }

    @AfterEach
    void stop() {
        volume.close();
    }

    private List<Finding> check(int pageRows, boolean repair) {
        return maintenance.check(pageRows, repair, rows -> {});
    }

    /** Found once, whatever the pages are, and mended. */
    private void findsAndMends(String what, long inode, String detail, String damage) {
        volume.execute(damage);
        for (int pageRows = 1; pageRows <= 2 * CHILDREN + 6; pageRows++) {
            assertEquals(
                    List.of(new Finding(what, inode, null, detail, false)), check(pageRows, false), pageRows + " rows");
        }
        for (int pageRows : List.of(3, 100)) {
            assertEquals(List.of(new Finding(what, inode, null, detail, true)), check(pageRows, true));
            assertEquals(List.of(), check(pageRows, false));
            volume.execute(damage);
        }
        check(100, true);
    }

    @Test
    void pagesThatEndAnywhereFindNothingInASoundVolume() {
        for (int pageRows = 1; pageRows <= 3 * CHILDREN; pageRows++) {
            assertEquals(List.of(), check(pageRows, false), pageRows + " rows");
        }
    }

    @Test
    void aDirectorysLinksOverSeveralPages() {
        findsAndMends(
                "nlink-mismatch", wide, "7 instead of 13", "UPDATE larder.inode SET nlink = 7 WHERE ino = " + wide);
    }

    @Test
    void anEmptyDirectorysLinks() {
        long empty = session.lookup(1, FileName.of("empty")).inode();
        findsAndMends(
                "nlink-mismatch", empty, "3 instead of 2", "UPDATE larder.inode SET nlink = 3 WHERE ino = " + empty);
    }

    @Test
    void aFilesNamesOverSeveralPages() {
        findsAndMends(
                "nlink-mismatch", tall, "12 instead of 11", "UPDATE larder.inode SET nlink = 12 WHERE ino = " + tall);
    }

    @Test
    void aFilesBytesOverSeveralPages() {
        volume.execute("UPDATE larder.volume SET base_bytes = base_bytes - 1");
        volume.execute("UPDATE larder.inode SET allocated = 109 WHERE ino = " + tall);
        List<Finding> found = check(3, true);
        assertEquals(new Finding("allocated-mismatch", tall, null, "109 instead of 110", true), found.getFirst());
        assertEquals("off by 1 bytes, 0 inodes", found.getLast().detail());
        assertEquals(List.of(), check(3, false));
    }

    @Test
    void bytesOfAFileWithoutExtents() {
        volume.execute("DELETE FROM larder.extent WHERE ino = " + tall);
        assertEquals(
                List.of(
                        new Finding("allocated-mismatch", tall, null, "110 instead of 0", true),
                        new Finding("usage-mismatch", 0, null, "off by -110 bytes, 0 inodes", true)),
                check(3, true));
        assertEquals(List.of(), check(3, false));
    }

    @Test
    void aSumThatChangesAfterItWasCountedIsNotMended() {
        volume.execute("UPDATE larder.inode SET nlink = 7 WHERE ino = " + wide);
        String version = volume.database().ask("SELECT xmin FROM larder.inode WHERE ino = " + wide);
        volume.file(session, wide, "meanwhile");
        assertEquals(
                "f",
                volume.database()
                        .ask("SELECT mended FROM larder_v1.mend_sum('nlink-mismatch', " + wide + ", 11, '" + version
                                + "')"));
        assertEquals(7, session.attributes(wide).nlink());
    }

    @Test
    void theUsageIsNotPutRightTwice() {
        String repairs = volume.database().ask("SELECT usage_repairs FROM larder.volume");
        String mend = "SELECT mended FROM larder_v1.mend_usage(" + repairs + ", 5, 0)";
        assertEquals("t", volume.database().ask(mend));
        assertEquals("f", volume.database().ask(mend));
        assertEquals("off by -5 bytes, 0 inodes", check(3, true).getFirst().detail());
        assertEquals(List.of(), check(3, false));
    }

    /**
     * A known error of the usage is in the volume: each check, of pages of a few rows, finds that error exactly and nothing
     * else while two sessions change names, links and contents, and the packer merges extents.
     */
    @Test
    void checksOfABusyVolumeAreExact() throws Exception {
        volume.execute("UPDATE larder.volume SET base_bytes = base_bytes + 7, base_inodes = base_inodes - 1");
        List<Finding> expected = List.of(new Finding("usage-mismatch", 0, null, "off by -7 bytes, 1 inodes", false));
        CountDownLatch checked = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            List<Future<Long>> busy = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Load load = new Load(volume.session(), i);
                busy.add(threads.submit(() -> load.until(checked)));
            }
            busy.add(threads.submit(() -> pack(checked)));
            try {
                for (int pageRows : List.of(1, 2, 5, 13, 40, 200)) {
                    assertEquals(expected, check(pageRows, false), pageRows + " rows");
                }
            } finally {
                checked.countDown();
            }
            for (Future<Long> one : busy) {
                assertTrue(one.get(DEADLINE_SECONDS, TimeUnit.SECONDS) > 0);
            }
        }
        assertEquals(expected, check(3, false));
    }

    /** Every run of a file's inline extents becomes one extent. */
    private long pack(CountDownLatch end) {
        PostgresMetadata packer = volume.session();
        long moved = 0;
        while (end.getCount() > 0) {
            List<FileExtent> inline = packer.maintenance().inlineExtents(Duration.ZERO, 1 << 20);
            List<Move> moves = new ArrayList<>();
            List<Extent> run = new ArrayList<>();
            for (int i = 0; i < inline.size(); i++) {
                run.add(inline.get(i).extent());
                boolean goesOn = i + 1 < inline.size()
                        && inline.get(i + 1).inode() == inline.get(i).inode()
                        && inline.get(i + 1).extent().offset()
                                == inline.get(i).extent().end();
                if (!goesOn) {
                    moves.add(new Move(inline.get(i).inode(), List.copyOf(run), merged(packer, run)));
                    run.clear();
                }
            }
            moved += packer.maintenance().move(moves).size();
        }
        return moved;
    }

    private static Extent merged(PostgresMetadata packer, List<Extent> run) {
        UUID segment = new UUID(packer.session().getMostSignificantBits(), 1);
        long from = run.getFirst().offset();
        return ScratchVolume.segment(from, (int) (run.getLast().end() - from), segment, 0);
    }

    /** Makes, links, renames, writes, cuts and removes; what it makes is its own, where it makes it is everybody's. */
    private final class Load {
        private final PostgresMetadata own;
        private final int number;
        private final Random random;
        private final List<Long> directories;

        Load(PostgresMetadata own, int number) {
            this.own = own;
            this.number = number;
            this.random = new Random(number);
            this.directories = List.of(
                    1L,
                    wide,
                    session.lookup(wide, FileName.of("d0")).inode(),
                    session.lookup(wide, FileName.of("d9")).inode());
        }

        private long anywhere() {
            return directories.get(random.nextInt(directories.size()));
        }

        long until(CountDownLatch end) {
            long rounds = 0;
            while (end.getCount() > 0) {
                round(rounds++);
            }
            return rounds;
        }

        private void round(long round) {
            FileName name = FileName.of("n" + number + "-" + round);
            FileName other = FileName.of("o" + number + "-" + round);
            long from = anywhere();
            long to = anywhere();
            long file = volume.file(own, from, name.toString());
            for (int i = 0; i < 3; i++) {
                own.commit(Op.NONE, List.of(ScratchVolume.append(file, new byte[1 + random.nextInt(20)])));
            }
            own.commit(Op.NONE, List.of(ScratchVolume.append(tall, new byte[5])));
            own.punch(Op.NONE, tall, random.nextInt(200), 5, random.nextBoolean(), ScratchVolume.NOW);
            own.link(Op.NONE, file, to, other, ScratchVolume.NOW);
            own.rename(Op.NONE, from, name, to, FileName.of("r" + number), 0, ScratchVolume.NOW, false);
            own.unlink(Op.NONE, to, other, ScratchVolume.NOW, false);
            FileName directory = FileName.of("m" + number + "-" + round);
            volume.directory(own, from, directory.toString());
            own.rename(Op.NONE, from, directory, to, other, 0, ScratchVolume.NOW, false);
            own.rmdir(Op.NONE, to, other, ScratchVolume.NOW);
            if (round % 4 == 0) {
                own.unlink(Op.NONE, to, FileName.of("r" + number), ScratchVolume.NOW, false);
                own.maintenance().restore(file);
            }
        }
    }
}
