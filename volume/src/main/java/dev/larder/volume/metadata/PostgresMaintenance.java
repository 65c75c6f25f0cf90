package dev.larder.volume.metadata;

import dev.larder.volume.Op;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
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
    public List<FileExtent> extents(long afterInode, long afterOffset, int limit) {
        return statements.queryRows(
                "SELECT * FROM larder_v1.extents(?, ?, ?)",
                parameters -> parameters.add(afterInode).add(afterOffset).add(limit),
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
    public int purgeUnlinked(Duration age, int limit) {
        return statements.query(
                "SELECT * FROM larder_v1.purge_unlinked(?, ?)",
                parameters -> parameters.add(age.toMillis()).add(limit),
                row -> row.getInt(2));
    }

    @Override
    public int purgeTrash(Instant before, int limit) {
        return statements.query(
                "SELECT * FROM larder_v1.purge_trash(?::timestamptz, ?)",
                parameters -> parameters.add(before.toString()).add(limit),
                row -> row.getInt(2));
    }

    @Override
    public int purgeExpiredTrash(int limit) {
        return statements.query(
                "SELECT * FROM larder_v1.purge_trash(NULL, ?)",
                parameters -> parameters.add(limit),
                row -> row.getInt(2));
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
        return statements.query(
                "SELECT * FROM larder_v1.inode_garbage(?)",
                parameters -> parameters.add(unlinked.toMillis()),
                row -> new Garbage(row.getLong(2), row.getLong(3), unreferenced[0], unreferenced[1], unreferenced[2]));
    }

    @Override
    public Sizes sizes() {
        return statements.query(
                "SELECT * FROM larder_v1.sizes()", parameters -> {}, row -> new Sizes(row.getLong(2), row.getLong(3)));
    }

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
    public List<TrashEntry> trash(String pathPrefix, int limit) {
        return statements.queryRows(
                "SELECT x.ino, x.path, x.directory, x.size, (extract(epoch FROM x.deleted) * 1000)::bigint"
                        + " FROM larder_v1.trash_list(?, ?) x",
                parameters -> parameters
                        .add(pathPrefix.getBytes(StandardCharsets.UTF_8))
                        .add(limit),
                rows -> {
                    List<TrashEntry> entries = new ArrayList<>();
                    while (rows.next()) {
                        entries.add(new TrashEntry(
                                rows.getLong(1),
                                path(rows.getBytes(2)),
                                rows.getBoolean(3),
                                rows.getLong(4),
                                Instant.ofEpochMilli(rows.getLong(5))));
                    }
                    return entries;
                });
    }

    @Override
    public String restore(long inode) {
        return statements.query(
                "SELECT * FROM larder_v1.trash_restore(?)",
                parameters -> parameters.add(inode),
                row -> path(row.getBytes(2)));
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
