package dev.larder.volume.metadata;

import dev.larder.volume.Op;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongConsumer;

/** Statements of background work and administration. */
final class PostgresMaintenance implements Maintenance {
    private static final int SEGMENTS_A_STATEMENT = 1000;
    private static final int PATHS_A_STATEMENT = 1000;
    private static final int INODES_A_STATEMENT = 1000;
    /** Of statements that read more than they change. */
    private static final int ROWS_A_STATEMENT = 10_000;

    private static final TrashPlace BEFORE_THE_OLDEST = new TrashPlace(0, 0);
    /** In microseconds the year 9999. */
    private static final TrashPlace BEFORE_THE_LAST = new TrashPlace(253_402_300_799_000_000L, Long.MAX_VALUE);

    private static final UUID BEFORE_ALL = new UUID(0, 0);

    private final SessionStatements statements;

    PostgresMaintenance(SessionStatements statements) {
        this.statements = statements;
    }

    @Override
    public List<FileExtent> inlineExtents(Duration age, long maxBytes) {
        return statements.queryRows(
                "SELECT * FROM larder_v1.inline_extents(?, ?)",
                parameters -> parameters.add(age.toMillis()).add(maxBytes),
                PostgresMaintenance::fileExtents);
    }

    @Override
    public List<FileExtent> extents(long afterInode, long afterOffset, boolean withData) {
        return statements.queryRows(
                "SELECT * FROM larder_v1.extents(?, ?, ?, ?)",
                parameters -> parameters
                        .add(afterInode)
                        .add(afterOffset)
                        .add(withData)
                        .add(ContentStatements.ANSWER_BYTES),
                PostgresMaintenance::fileExtents);
    }

    private static List<FileExtent> fileExtents(ResultSet rows) throws SQLException {
        List<FileExtent> extents = new ArrayList<>();
        while (rows.next()) {
            extents.add(new FileExtent(rows.getLong(1), ExtentRows.extent(rows, 2)));
        }
        return extents;
    }

    @Override
    public List<Boolean> move(List<Move> moves) {
        if (moves.isEmpty()) {
            return List.of();
        }
        List<Extent> from = moves.stream().flatMap(move -> move.from().stream()).toList();
        List<Extent> to = moves.stream().map(Move::to).toList();
        return statements.mutate(
                Op.NONE,
                "SELECT * FROM larder_v1.move(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                parameters -> {
                    parameters
                            .addArray("int8", moves.stream().map(Move::inode).toArray(Long[]::new))
                            .addArray(
                                    "int4",
                                    moves.stream().map(m -> m.from().size()).toArray(Integer[]::new));
                    ExtentRows.addPlaces(parameters, from);
                    ExtentRows.addContents(parameters, to);
                    ExtentRows.addFrames(parameters, to);
                    ExtentRows.addSegments(parameters, to);
                },
                row -> List.of((Boolean[]) row.getArray(2).getArray()));
    }

    @Override
    public int retireSegments(Duration age) {
        int[] retired = {0};
        UUID[] after = {BEFORE_ALL};
        while (after[0] != null) {
            statements.query(
                    "SELECT * FROM larder_v1.retire_segments(?, ?, ?)",
                    parameters -> parameters.add(age.toMillis()).add(after[0]).add(SEGMENTS_A_STATEMENT),
                    row -> {
                        retired[0] += row.getInt(2);
                        after[0] = row.getObject(3, UUID.class);
                        return true;
                    });
        }
        return retired[0];
    }

    @Override
    public List<RetiredSegment> retiredSegments(Duration age, int limit) {
        return statements.queryRows(
                "SELECT * FROM larder_v1.retired_segments(?, ?)",
                parameters -> parameters.add(age.toMillis()).add(limit),
                rows -> {
                    List<RetiredSegment> segments = new ArrayList<>();
                    while (rows.next()) {
                        segments.add(new RetiredSegment(rows.getObject(1, UUID.class), rows.getLong(2)));
                    }
                    return segments;
                });
    }

    @Override
    public void forgetSegments(List<UUID> segments) {
        statements.query(
                "SELECT * FROM larder_v1.forget_segments(?)",
                parameters -> parameters.addArray("uuid", segments.toArray(UUID[]::new)),
                row -> true);
    }

    @Override
    public List<Boolean> knownSegments(List<UUID> segments) {
        Set<UUID> known = new HashSet<>(statements.queryRows(
                "SELECT * FROM larder_v1.known_segments(?)",
                parameters -> parameters.addArray("uuid", segments.toArray(UUID[]::new)),
                PostgresMaintenance::ids));
        return segments.stream().map(known::contains).toList();
    }

    @Override
    public List<UUID> liveSessions() {
        return statements.queryRows(
                "SELECT * FROM larder_v1.live_sessions()", parameters -> {}, PostgresMaintenance::ids);
    }

    private static List<UUID> ids(ResultSet rows) throws SQLException {
        List<UUID> ids = new ArrayList<>();
        while (rows.next()) {
            ids.add(rows.getObject(1, UUID.class));
        }
        return ids;
    }

    @Override
    public long purgeUnlinked(Duration age, LongConsumer purged) {
        long[] sum = {0};
        Long[] after = {0L};
        while (after[0] != null) {
            statements.query(
                    "SELECT * FROM larder_v1.purge_unlinked(?, ?, ?)",
                    parameters -> parameters.add(age.toMillis()).add(after[0]).add(ROWS_A_STATEMENT),
                    row -> {
                        sum[0] += row.getLong(2);
                        after[0] = row.getObject(3, Long.class);
                        return true;
                    });
            purged.accept(sum[0]);
        }
        return sum[0];
    }

    @Override
    public long purgeTrash(Instant before, LongConsumer purged) {
        return purgeTrash(before.toString(), purged);
    }

    @Override
    public long purgeExpiredTrash(LongConsumer purged) {
        return purgeTrash((String) null, purged);
    }

    private long purgeTrash(String before, LongConsumer purged) {
        long[] sum = {0};
        boolean more = true;
        while (more) {
            more = statements.query(
                    "SELECT * FROM larder_v1.purge_trash(?::timestamptz, ?)",
                    parameters -> parameters.add(before).add(INODES_A_STATEMENT),
                    row -> {
                        sum[0] += row.getLong(2);
                        return row.getBoolean(3);
                    });
            purged.accept(sum[0]);
        }
        return sum[0];
    }

    @Override
    public Garbage garbage(Duration unlinked, Duration segment) {
        long[] unreferenced = {0, 0, 0};
        UUID[] after = {BEFORE_ALL};
        while (after[0] != null) {
            statements.query(
                    "SELECT * FROM larder_v1.segment_garbage(?, ?, ?)",
                    parameters ->
                            parameters.add(segment.toMillis()).add(after[0]).add(SEGMENTS_A_STATEMENT),
                    row -> {
                        unreferenced[0] += row.getLong(2);
                        unreferenced[1] += row.getLong(3);
                        unreferenced[2] += row.getLong(4);
                        after[0] = row.getObject(5, UUID.class);
                        return true;
                    });
        }
        return new Garbage(
                expiredTrash(), unlinkedGarbage(unlinked), unreferenced[0], unreferenced[1], unreferenced[2]);
    }

    private long expiredTrash() {
        long[] sum = {0};
        TrashPlace[] after = {BEFORE_THE_OLDEST};
        while (after[0] != null) {
            statements.query(
                    "SELECT * FROM larder_v1.trash_garbage(?, ?, ?)",
                    parameters -> parameters
                            .add(after[0].deletedMicros())
                            .add(after[0].inode())
                            .add(ROWS_A_STATEMENT),
                    row -> {
                        sum[0] += row.getLong(2);
                        Long micros = row.getObject(3, Long.class);
                        after[0] = micros == null ? null : new TrashPlace(micros, row.getLong(4));
                        return true;
                    });
        }
        return sum[0];
    }

    private long unlinkedGarbage(Duration age) {
        return sum(
                0L,
                Long.class,
                (parameters, after) -> parameters.add(age.toMillis()).add(after),
                "unlinked_garbage(?, ?, ?)");
    }

    @Override
    public Sizes sizes() {
        return new Sizes(
                sum(0L, Long.class, Parameters::add, "count_inodes(?, ?)"),
                sum(0L, Long.class, Parameters::add, "sum_allocated(?, ?)"),
                sum(BEFORE_ALL, UUID.class, Parameters::add, "count_segments(?, ?)"));
    }

    private interface Place<K> {
        Parameters bind(Parameters parameters, K after) throws SQLException;
    }

    /** What a function that answers (errno, count, last key of the page or null) sums up. */
    private <K> long sum(K before, Class<K> key, Place<K> place, String function) {
        long sum = 0;
        K after = before;
        while (after != null) {
            K from = after;
            Counted<K> page = statements.query(
                    "SELECT * FROM larder_v1." + function,
                    parameters -> place.bind(parameters, from).add(ROWS_A_STATEMENT),
                    row -> new Counted<>(row.getLong(2), row.getObject(3, key)));
            sum += page.count();
            after = page.last();
        }
        return sum;
    }

    private record Counted<K>(long count, K last) {}

    @Override
    public List<String> pathsOf(List<Long> inodes) {
        Map<Long, String> paths = new HashMap<>();
        for (int from = 0; from < inodes.size(); from += PATHS_A_STATEMENT) {
            List<Long> step = inodes.subList(from, Math.min(inodes.size(), from + PATHS_A_STATEMENT));
            statements.queryRows(
                    "SELECT * FROM larder_v1.paths_of(?)", parameters -> parameters.addLongs(step), rows -> {
                        while (rows.next()) {
                            if (rows.getBytes(2) != null) {
                                paths.put(rows.getLong(1), path(rows.getBytes(2)));
                            }
                        }
                        return true;
                    });
        }
        return inodes.stream().map(paths::get).toList();
    }

    @Override
    public TrashPage trash(String pathPrefix, TrashPlace after, int limit) {
        TrashPlace from = after == null ? BEFORE_THE_LAST : after;
        return statements.queryRows(
                "SELECT * FROM larder_v1.trash_list(?, ?, ?, ?)",
                parameters -> parameters
                        .add(pathPrefix.getBytes(StandardCharsets.UTF_8))
                        .add(from.deletedMicros())
                        .add(from.inode())
                        .add(limit),
                rows -> {
                    List<TrashEntry> entries = new ArrayList<>();
                    TrashPlace next = null;
                    while (rows.next()) {
                        long inode = rows.getLong(1);
                        byte[] path = rows.getBytes(2);
                        long micros = rows.getLong(5);
                        if (path == null) {
                            next = new TrashPlace(micros, inode);
                        } else {
                            entries.add(new TrashEntry(
                                    inode,
                                    path(path),
                                    rows.getBoolean(3),
                                    rows.getLong(4),
                                    Instant.EPOCH.plus(micros, ChronoUnit.MICROS)));
                        }
                    }
                    return new TrashPage(entries, next);
                });
    }

    @Override
    public String restore(long inode) {
        return new TrashRestore(statements).run(inode);
    }

    private static String path(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public DiskUsage diskUsage(long inode) {
        return new UsageWalk(statements).below(inode);
    }

    @Override
    public List<Finding> check(boolean repair, LongConsumer checkedRows) {
        return check(MetadataCheck.PAGE, repair, checkedRows);
    }

    /** @param pageRows of a statement */
    List<Finding> check(int pageRows, boolean repair, LongConsumer checkedRows) {
        return new MetadataCheck(statements, pageRows, repair, checkedRows).run();
    }
}
