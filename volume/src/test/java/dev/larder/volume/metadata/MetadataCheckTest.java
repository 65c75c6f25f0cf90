package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.FileName;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Maintenance.Finding;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault, put in by hand, is found; what needs no guess is mended. */
final class MetadataCheckTest {
    private ScratchVolume volume;
    private PostgresMetadata session;
    private Maintenance maintenance;
    private long directory;
    private long file;

    /** /d/a with a segment of 100 bytes. */
    @BeforeEach
    void start() {
        volume = new ScratchVolume();
        session = volume.session();
        maintenance = session.maintenance();
        directory = volume.directory(session, 1, "d");
        file = volume.file(session, directory, "a");
        session.commit(
                Op.NONE, List.of(ScratchVolume.write(file, ScratchVolume.segment(0, 100, UUID.randomUUID(), 0))));
        assertEquals(List.of(), maintenance.check(false, rows -> {}));
    }

    @AfterEach
    void stop() {
        volume.close();
    }

    private void mends(String what, String damage) {
        volume.execute(damage);
        assertTrue(found(maintenance.check(false, rows -> {})).contains(what), what);
        List<Finding> repaired = maintenance.check(true, rows -> {});
        assertTrue(repaired.stream().allMatch(Finding::repaired), repaired.toString());
        assertEquals(List.of(), maintenance.check(false, rows -> {}));
    }

    private static Set<String> found(List<Finding> findings) {
        return findings.stream().map(Finding::what).collect(Collectors.toSet());
    }

    @Test
    void linkCounts() {
        mends("nlink-mismatch", "UPDATE larder.inode SET nlink = 7 WHERE ino = " + file);
        mends("nlink-mismatch", "UPDATE larder.inode SET nlink = 7 WHERE ino = " + directory);
    }

    @Test
    void aNameOfNothing() {
        mends("dentry-to-nothing", "INSERT INTO larder.dentry VALUES (" + directory + ", 5, 424242, 8, 'x')");
        mends("dentry-to-nothing", "INSERT INTO larder.dentry VALUES (1, 5, 424242, 4, 'x')");
    }

    @Test
    void anInodeWithoutANameGoesToTheTrashAndComesBack() {
        mends("inode-without-dentry", "DELETE FROM larder.dentry WHERE ino = " + file);
        assertEquals("/lost-" + file, maintenance.restore(file));
        assertEquals(100, session.lookup(1, FileName.of("lost-" + file)).size());
        assertEquals(List.of(), maintenance.check(false, rows -> {}));
    }

    @Test
    void theKindInTheDirectory() {
        mends("dentry-type-mismatch", "UPDATE larder.dentry SET type = 10 WHERE ino = " + file);
    }

    @Test
    void theParentOfADirectory() {
        mends("parent-mismatch", "UPDATE larder.inode SET parent = 77 WHERE ino = " + directory);
    }

    @Test
    void allocatedBytes() {
        mends("allocated-mismatch", "UPDATE larder.inode SET allocated = 1 WHERE ino = " + file);
    }

    @Test
    void extentsOfNothing() {
        mends("extent-without-inode", "INSERT INTO larder.extent (ino, off, len, kind) VALUES (424242, 0, 10, 4)");
    }

    @Test
    void segmentsWithoutARow() {
        mends("segment-without-row", "DELETE FROM larder.segment");
    }

    @Test
    void theUsage() {
        mends("usage-mismatch", "UPDATE larder.volume SET base_bytes = base_bytes + 5, base_inodes = 0");
    }

    @Test
    void overlappingExtentsAreToldNotMended() {
        volume.execute("UPDATE larder.inode SET allocated = 110 WHERE ino = " + file
                + "; INSERT INTO larder.extent (ino, off, len, kind) VALUES (" + file + ", 50, 10, 4)");
        List<Finding> findings = maintenance.check(true, rows -> {});
        Finding overlap = findings.stream()
                .filter(finding -> finding.what().equals("extent-overlap"))
                .findFirst()
                .orElseThrow();
        assertEquals(file, overlap.inode());
        assertFalse(overlap.repaired());
    }

    @Test
    void misplacedExtentsAreTold() {
        volume.execute("INSERT INTO larder.extent (ino, off, len, kind) VALUES (" + directory + ", -5, 2, 4)");
        assertTrue(found(maintenance.check(false, rows -> {}))
                .containsAll(Set.of("extent-misplaced", "extent-in-no-file")));
    }

    /** Faults in the first, at the edges of and in the last page of each table. */
    @Test
    void manyPages() {
        int files = 200_000;
        volume.execute("INSERT INTO larder.inode SELECT (jsonb_populate_record(i, jsonb_build_object("
                + "'ino', 1000000 + n, 'allocated', 10))).* FROM larder.inode i, generate_series(1, " + files
                + ") n WHERE i.ino = " + file
                + "; INSERT INTO larder.dentry (parent, hash, ino, type, name) SELECT " + directory
                + ", 1000 + n, 1000000 + n, 8, ('f' || n)::bytea FROM generate_series(1, " + files + ") n"
                + "; INSERT INTO larder.extent (ino, off, len, kind) SELECT 1000000 + n, 0, 10, 4 FROM generate_series(1, "
                + files + ") n; UPDATE larder.volume SET base_bytes = base_bytes + 10 * " + files
                + ", base_inodes = base_inodes + " + files);
        LongAdder rows = new LongAdder();
        assertEquals(List.of(), maintenance.check(false, rows::add));
        assertTrue(rows.sum() >= 3L * (files - MetadataCheck.PAGE), rows + " rows");

        List<Long> places = List.of(
                1L,
                MetadataCheck.PAGE - 3L,
                MetadataCheck.PAGE - 2L,
                MetadataCheck.PAGE + 0L,
                MetadataCheck.PAGE + 1L,
                files - 1L,
                (long) files);
        for (long place : places) {
            long inode = 1_000_000 + place;
            volume.execute("UPDATE larder.inode SET allocated = 9 WHERE ino = " + inode
                    + "; UPDATE larder.dentry SET type = 10 WHERE parent = " + directory + " AND hash = "
                    + (1000 + place) + "; INSERT INTO larder.extent (ino, off, len, kind) VALUES ("
                    + (5_000_000 + place)
                    + ", 0, 10, 4)");
        }
        List<Finding> findings = maintenance.check(true, checked -> {});
        for (String what : List.of("allocated-mismatch", "dentry-type-mismatch", "extent-without-inode")) {
            assertEquals(
                    places.size(),
                    findings.stream()
                            .filter(finding -> finding.what().equals(what))
                            .count(),
                    what);
        }
        assertEquals(List.of(), maintenance.check(false, checked -> {}));
    }
}
