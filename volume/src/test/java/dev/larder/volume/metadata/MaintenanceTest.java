package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Maintenance.DiskUsage;
import dev.larder.volume.metadata.Maintenance.FileExtent;
import dev.larder.volume.metadata.Maintenance.TrashEntry;
import dev.larder.volume.metadata.Maintenance.TrashPage;
import dev.larder.volume.metadata.Maintenance.TrashPlace;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Trash, purge, sums, segments. */
final class MaintenanceTest {
    private static final FileName A = FileName.of("a");
    private static final FileName D = FileName.of("d");
    private static final FileName SUB = FileName.of("sub");

    private ScratchVolume volume;
    private PostgresMetadata session;
    private Maintenance maintenance;
    private long directory;
    private long sub;
    private long file;

    /** /d/sub/a of 100 bytes. */
    @BeforeEach
    void start() {
        volume = new ScratchVolume();
        session = volume.session();
        maintenance = session.maintenance();
        directory = volume.directory(session, 1, "d");
        sub = volume.directory(session, directory, "sub");
        file = volume.file(session, sub, "a");
        session.commit(Op.NONE, List.of(ScratchVolume.write(file, ScratchVolume.inline(0, new byte[100]))));
    }

    @AfterEach
    void stop() {
        volume.close();
    }

    private void removeTree() {
        session.unlink(Op.NONE, sub, A, ScratchVolume.NOW, false);
        session.rmdir(Op.NONE, directory, SUB, ScratchVolume.NOW);
        session.rmdir(Op.NONE, 1, D, ScratchVolume.NOW);
    }

    private void consistent() {
        assertEquals(List.of(), maintenance.check(false, rows -> {}));
    }

    @Test
    void aRemovedTreeComesBackFromItsFile() {
        removeTree();
        assertEquals(
                List.of("/d", "/d/sub", "/d/sub/a"),
                maintenance.trash("", null, 10).entries().stream()
                        .map(TrashEntry::path)
                        .sorted()
                        .toList());
        assertEquals("/d/sub/a", maintenance.restore(file));
        assertEquals(List.of(), maintenance.trash("", null, 10).entries());
        assertEquals(sub, session.lookup(directory, SUB).inode());
        Attributes restored = session.lookup(sub, A);
        assertEquals(100, restored.size());
        assertEquals(1, session.content(file, 0, 100).extents().size());
        consistent();
    }

    @Test
    void aRemovedTreeComesBackFromItsTop() {
        removeTree();
        assertEquals("/d", maintenance.restore(directory));
        assertEquals(file, session.lookup(sub, A).inode());
        assertEquals(3, session.attributes(directory).nlink());
        consistent();
    }

    @Test
    void aNameThatIsTakenIsNotReplaced() {
        session.unlink(Op.NONE, sub, A, ScratchVolume.NOW, false);
        volume.file(session, sub, "a");
        assertEquals("/d/sub/a.restored-1", maintenance.restore(file));
        ErrnoException e = assertThrows(ErrnoException.class, () -> maintenance.restore(file));
        assertEquals(Errno.ENOENT, e.errno());
        consistent();
    }

    @Test
    void trashIsOutsideTheQuotaAndListedByPath() {
        assertEquals(100, session.heartbeat().usedBytes());
        removeTree();
        assertEquals(0, session.heartbeat().usedBytes());
        assertEquals(1, session.heartbeat().usedInodes());
        assertEquals(
                List.of("/d/sub/a"),
                maintenance.trash("/d/sub/", null, 10).entries().stream()
                        .map(TrashEntry::path)
                        .toList());
        assertEquals(1, maintenance.trash("", null, 1).entries().size());
        maintenance.restore(directory);
        assertEquals(100, session.heartbeat().usedBytes());
    }

    @Test
    void purgedTrashGoesWithItsExtentsUnlessItIsHeld() {
        PostgresMetadata other = volume.session();
        other.hold(List.of(file));
        removeTree();
        assertEquals(0, maintenance.purgeTrash(Instant.now().minusSeconds(3600), purged -> {}));
        assertEquals(3, maintenance.purgeTrash(Instant.now().plusSeconds(3600), purged -> {}));
        assertEquals(2, maintenance.purgeUnlinked(Duration.ZERO, purged -> {}));
        assertEquals(1, volume.count("SELECT count(*) FROM larder.extent"));
        other.releaseHolds(List.of(file));
        assertEquals(0, maintenance.purgeUnlinked(Duration.ofHours(1), purged -> {}));
        assertEquals(1, maintenance.purgeUnlinked(Duration.ZERO, purged -> {}));
        assertEquals(0, volume.count("SELECT count(*) FROM larder.extent"));
        consistent();
    }

    @Test
    void whatLiesInTheTrashIsNotPurgedAsUnlinked() {
        removeTree();
        assertEquals(0, maintenance.purgeUnlinked(Duration.ZERO, purged -> {}));
        assertEquals("/d", maintenance.restore(directory));
    }

    @Test
    void diskUsageCountsAFileWithTwoNamesOnce() {
        session.link(Op.NONE, file, directory, FileName.of("again"), ScratchVolume.NOW);
        long big = volume.file(session, directory, "big");
        session.commit(Op.NONE, List.of(ScratchVolume.write(big, ScratchVolume.inline(1000, new byte[24]))));
        assertEquals(new DiskUsage(2, 3, 1124, 124), maintenance.diskUsage(1));
        assertEquals(new DiskUsage(1, 1, 100, 100), maintenance.diskUsage(sub));
        ErrnoException e = assertThrows(ErrnoException.class, () -> maintenance.diskUsage(big));
        assertEquals(Errno.ENOTDIR, e.errno());
    }

    @Test
    void aHundredThousandEntriesAreSummed() {
        volume.execute("INSERT INTO larder.inode (ino, size, parent, uid, gid, atime_s, mtime_s, ctime_s, btime_s,"
                + " atime_ns, mtime_ns, ctime_ns, btime_ns, mode, nlink) SELECT 1000000 + n, n % 10,"
                + " CASE WHEN n < 1000 THEN " + sub + " ELSE 0 END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,"
                + " CASE WHEN n < 1000 THEN 16877 ELSE 33188 END, 1 FROM generate_series(0, 99999) n;"
                + " INSERT INTO larder.dentry (parent, hash, ino, type, name) SELECT"
                + " CASE WHEN n < 1000 THEN " + sub + " ELSE 1000000 + n % 1000 END, n, 1000000 + n,"
                + " CASE WHEN n < 1000 THEN 4 ELSE 8 END, n::text::bytea FROM generate_series(0, 99999) n");
        DiskUsage usage = maintenance.diskUsage(1);
        assertEquals(99_001, usage.files());
        assertEquals(1003, usage.directories());
    }

    @Test
    void segmentsAreRetiredOnlyWithoutReferencesAndForgottenOnlyRetired() {
        UUID used = new UUID(session.session().getMostSignificantBits(), 1);
        UUID unused = new UUID(session.session().getMostSignificantBits(), 2);
        session.commit(Op.NONE, List.of(ScratchVolume.write(file, ScratchVolume.segment(0, 50, unused, 0))));
        session.commit(Op.NONE, List.of(ScratchVolume.write(file, ScratchVolume.segment(0, 50, used, 7))));
        assertEquals(57, volume.count("SELECT bytes FROM larder.segment WHERE id = '" + used + "'"));
        assertEquals(0, maintenance.retireSegments(Duration.ofHours(1)));
        assertEquals(1, maintenance.retireSegments(Duration.ZERO));
        assertEquals(List.of(), maintenance.retiredSegments(Duration.ofHours(1), 10));
        assertEquals(
                List.of(unused),
                maintenance.retiredSegments(Duration.ZERO, 10).stream()
                        .map(Maintenance.RetiredSegment::id)
                        .toList());
        maintenance.forgetSegments(List.of(used, unused));
        assertEquals(List.of(true, false), maintenance.knownSegments(List.of(used, unused)));
        assertEquals(List.of(session.session()), maintenance.liveSessions());
    }

    @Test
    void extentsAreWalkedInSteps() {
        long other = volume.file(session, 1, "b");
        session.commit(
                Op.NONE,
                List.of(ScratchVolume.write(
                        other, ScratchVolume.inline(0, new byte[3]), ScratchVolume.inline(9, new byte[3]))));
        List<FileExtent> all = maintenance.extents(0, 0, true);
        assertEquals(3, all.size());
        FileExtent first = all.getFirst();
        List<FileExtent> rest =
                maintenance.extents(first.inode(), first.extent().offset(), false);
        assertEquals(2, rest.size());
        assertNull(rest.getFirst().extent().data());
        assertEquals(all.get(1).extent().content(), rest.getFirst().extent().content());
        assertTrue(maintenance.inlineExtents(Duration.ofHours(1), 1 << 20).isEmpty());
    }

    /** Files of one link, made in the table: fast. */
    private void manyFiles(long parent, int count) {
        volume.execute("INSERT INTO larder.inode (ino, size, allocated, uid, gid, atime_s, mtime_s, ctime_s, btime_s,"
                + " atime_ns, mtime_ns, ctime_ns, btime_ns, mode, nlink) SELECT 1000000 + n, 3, 2, 0, 0, 0, 0, 0, 0,"
                + " 0, 0, 0, 0, 33188, 1 FROM generate_series(1, " + count + ") n;"
                + " INSERT INTO larder.dentry (parent, hash, ino, type, name) SELECT " + parent
                + ", n % 7, 1000000 + n, 8, n::text::bytea FROM generate_series(1, " + count + ") n");
    }

    @Test
    void aDirectoryOfSeveralPagesIsSummedOnce() {
        manyFiles(sub, 30_001);
        long below = volume.directory(session, sub, "below");
        volume.file(session, below, "f");
        session.link(Op.NONE, file, below, FileName.of("again"), ScratchVolume.NOW);
        assertEquals(new DiskUsage(30_003, 4, 90_103, 60_102), maintenance.diskUsage(1));
        assertEquals(new DiskUsage(30_003, 2, 90_103, 60_102), maintenance.diskUsage(sub));
        assertEquals(new Maintenance.Sizes(30_007, 60_102, 0), maintenance.sizes());
    }

    @Test
    void theTrashIsListedByPages() {
        for (int i = 0; i < 5; i++) {
            volume.file(session, sub, "gone" + i);
            session.unlink(Op.NONE, sub, FileName.of("gone" + i), ScratchVolume.NOW, false);
        }
        session.unlink(Op.NONE, sub, A, ScratchVolume.NOW, false);
        volume.execute("UPDATE larder.trash SET deleted = '2026-01-02T03:04:05.678901Z' WHERE name <> 'a'");
        List<String> paths = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        TrashPlace next = null;
        do {
            TrashPage page = maintenance.trash("/d/sub/gone", next, 2);
            page.entries().forEach(entry -> paths.add(entry.path()));
            sizes.add(page.entries().size());
            next = page.next();
        } while (next != null);
        assertEquals(5, paths.stream().distinct().count());
        assertEquals(List.of(1, 2, 2, 0), sizes, "the last removed is none of these");
        TrashEntry oldest = maintenance.trash("/", null, 10).entries().getLast();
        assertEquals(Instant.parse("2026-01-02T03:04:05.678901Z"), oldest.deleted());
    }

    /** One with more extents than a statement removes goes in steps, and is never at odds with its own sum. */
    @Test
    void aFileOfManyExtentsIsPurgedInSteps() {
        int extents = 25_000;
        volume.execute("DELETE FROM larder.extent WHERE ino = " + file
                + "; INSERT INTO larder.extent (ino, off, len, kind) SELECT " + file
                + ", n, 1, 4 FROM generate_series(1, " + extents + ") n; UPDATE larder.inode SET allocated = " + extents
                + " WHERE ino = " + file + "; UPDATE larder.volume SET base_bytes = base_bytes + " + extents
                + " - 100");
        consistent();
        session.unlink(Op.NONE, sub, A, ScratchVolume.NOW, false);
        volume.execute("UPDATE larder.trash SET deleted = '2026-01-02T03:04:05Z'");
        assertEquals(1, maintenance.purgeTrash(Instant.now(), purged -> {}));
        assertEquals(15_000, volume.count("SELECT count(*) FROM larder.extent"));
        assertEquals(15_000, session.attributes(file).allocated());
        consistent();
        List<Long> progress = new ArrayList<>();
        assertEquals(1, maintenance.purgeUnlinked(Duration.ZERO, progress::add));
        assertEquals(List.of(0L, 1L), progress);
        assertEquals(0, volume.count("SELECT count(*) FROM larder.extent"));
        assertEquals(0, volume.count("SELECT count(*) FROM larder.doomed"));
        consistent();
    }

    @Test
    void unlinkedInodesArePurgedByPages() {
        manyFiles(sub, 2_500);
        volume.execute("DELETE FROM larder.dentry WHERE ino > 1000000; UPDATE larder.inode SET nlink = 0, allocated = 0"
                + " WHERE ino > 1000000; INSERT INTO larder.doomed VALUES (" + file + ", '2026-01-01')");
        assertEquals(0, maintenance.purgeUnlinked(Duration.ofHours(1), purged -> {}));
        assertEquals(0, maintenance.garbage(Duration.ofHours(1), Duration.ZERO).inodes());
        assertEquals(2_500, maintenance.garbage(Duration.ZERO, Duration.ZERO).inodes());
        assertEquals(0, volume.count("SELECT count(*) FROM larder.doomed WHERE ino = " + file), "it has a name");
        assertEquals(2_500, maintenance.purgeUnlinked(Duration.ZERO, purged -> {}));
        assertEquals(4, maintenance.sizes().inodes());
        consistent();
    }

    @Test
    void expiredTrashIsCountedAndPurgedByPages() {
        manyFiles(sub, 12_000);
        volume.execute("INSERT INTO larder.trash (ino, parent, name, deleted) SELECT d.ino, d.parent, d.name,"
                + " timestamptz '2026-01-01' + (d.ino % 5) * interval '1 microsecond' FROM larder.dentry d"
                + " WHERE d.ino > 1000000; DELETE FROM larder.dentry WHERE ino > 1000000;"
                + " UPDATE larder.inode SET nlink = 0, allocated = 0 WHERE ino > 1000000");
        assertEquals(12_000, maintenance.garbage(Duration.ZERO, Duration.ZERO).trashEntries());
        List<Long> progress = new ArrayList<>();
        assertEquals(12_000, maintenance.purgeExpiredTrash(progress::add));
        assertEquals(13, progress.size());
        assertEquals(4, maintenance.sizes().inodes());
        consistent();
    }

    /** Several pages of names, some of them removed twice, and directories below. */
    @Test
    void aLargeRemovedTreeComesBackInSteps() {
        int files = 1_000;
        manyFiles(sub, files);
        session.rename(Op.NONE, sub, A, directory, A, 0, ScratchVolume.NOW, false);
        volume.execute("INSERT INTO larder.inode SELECT (jsonb_populate_record(i, jsonb_build_object("
                + "'ino', i.ino + 1000000))).* FROM larder.inode i WHERE i.ino > 1000000 AND i.ino % 10 = 0;"
                + " INSERT INTO larder.trash (ino, parent, name, deleted) SELECT d.ino, d.parent, d.name, '2026-01-02'"
                + " FROM larder.dentry d WHERE d.ino > 1000000;"
                + " INSERT INTO larder.trash (ino, parent, name, deleted) SELECT d.ino + 1000000, d.parent, d.name,"
                + " '2026-01-01' FROM larder.dentry d WHERE d.ino > 1000000 AND d.ino % 10 = 0;"
                + " DELETE FROM larder.dentry WHERE ino > 1000000; UPDATE larder.inode SET nlink = 0, allocated = 0"
                + " WHERE ino > 1000000");
        session.rmdir(Op.NONE, directory, SUB, ScratchVolume.NOW);
        session.unlink(Op.NONE, directory, A, ScratchVolume.NOW, false);
        session.rmdir(Op.NONE, 1, D, ScratchVolume.NOW);
        consistent();
        assertEquals("/d", maintenance.restore(directory));
        assertEquals(files, volume.count("SELECT count(*) FROM larder.dentry WHERE parent = " + sub));
        assertEquals(
                files / 10,
                volume.count("SELECT count(*) FROM larder.trash WHERE deleted = '2026-01-01'"),
                "older ones");
        assertEquals(files / 10, volume.count("SELECT count(*) FROM larder.trash"));
        assertEquals(file, session.lookup(directory, A).inode());
        consistent();
    }

    @Test
    void aRestoreThatWasBrokenOffGoesOn() {
        removeTree();
        assertEquals(
                "/d",
                volume.database()
                        .ask("SELECT convert_from(path, 'UTF8') FROM larder_v1.trash_restore(" + directory + ")"));
        assertEquals(2, volume.count("SELECT count(*) FROM larder.trash"));
        assertEquals("/d", maintenance.restore(directory));
        assertEquals(file, session.lookup(sub, A).inode());
        assertEquals(0, volume.count("SELECT count(*) FROM larder.trash"));
        consistent();
    }
}
