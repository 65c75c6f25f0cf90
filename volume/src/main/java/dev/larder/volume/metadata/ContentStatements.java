package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.Committed;
import dev.larder.volume.metadata.Metadata.Content;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Statements about file content. */
final class ContentStatements {
    private static final String CONTENT =
            "SELECT (x.a).*, x.off, x.len, x.kind, x.content, x.skip, x.segment, x.frames, x.data"
                    + " FROM larder_v1.content(?, ?, ?, ?) x";
    private static final String COMMIT = "SELECT x.errno, x.previous, x.appended, (x.a).* FROM larder_v1.commit("
            + "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) x";
    private static final String PUNCH =
            "SELECT x.errno, (x.a).* FROM larder_v1.punch(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) x";
    private static final String PREALLOCATE =
            "SELECT x.errno, (x.a).* FROM larder_v1.preallocate(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) x";
    private static final String SHIFT = "SELECT x.errno, (x.a).* FROM larder_v1.shift(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) x";
    private static final String COPY_RANGE =
            "SELECT x.errno, (x.a).* FROM larder_v1.copy_range(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) x";

    private static final int CHANGE_NUMBERS = 10;
    /** Of one answer in memory, about: however much of a file is inline, many are read at once. */
    static final long ANSWER_BYTES = 1 << 20;

    private final SessionStatements statements;

    ContentStatements(SessionStatements statements) {
        this.statements = statements;
    }

    Content content(long inode, long from, long to) {
        return statements.queryRows(
                CONTENT,
                parameters -> parameters.add(inode).add(from).add(to).add(ANSWER_BYTES),
                rows -> readContent(rows, inode, to));
    }

    private static Content readContent(ResultSet rows, long inode, long to) throws SQLException {
        if (!rows.next()) {
            throw new ErrnoException(Errno.ESTALE, "inode " + inode + " does not exist");
        }
        Attributes attributes = RowReading.attributes(rows, 1);
        List<Extent> extents = new ArrayList<>();
        int first = RowReading.ATTRIBUTE_COLUMNS + 1;
        while (rows.next()) {
            rows.getShort(first + 2);
            if (rows.wasNull()) {
                return new Content(attributes, extents, rows.getLong(first));
            }
            extents.add(ExtentRows.extent(rows, first));
        }
        return new Content(attributes, extents, to);
    }

    List<Committed> commit(Op op, List<Commit> commits) {
        if (commits.isEmpty()) {
            return List.of();
        }
        Integer[] order = IntStream.range(0, commits.size()).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingLong(i -> commits.get(i).inode())); // the order of the rows' locks
        List<Commit> sorted = Arrays.stream(order).map(commits::get).toList();
        for (Commit commit : sorted) {
            if (commit.append() && commit.extents().size() != 1) {
                throw new IllegalArgumentException("an append of inode " + commit.inode() + " has one extent, not "
                        + commit.extents().size());
            }
        }
        Committed[] answers = new Committed[commits.size()];
        return statements.mutateRows(op, COMMIT, parameters -> bind(parameters, sorted), rows -> {
            for (int i = 0; rows.next(); i++) {
                answers[order[i]] =
                        new Committed(rows.getInt(1), RowReading.attributes(rows, 4), rows.getLong(2), rows.getLong(3));
            }
            return List.of(answers);
        });
    }

    private static void bind(Parameters parameters, List<Commit> commits) throws SQLException {
        List<Extent> extents =
                commits.stream().flatMap(commit -> commit.extents().stream()).toList();
        parameters
                .addArray("int8", commits.stream().map(Commit::inode).toArray(Long[]::new))
                .addArray("int8", commits.stream().map(Commit::generation).toArray(Long[]::new))
                .addArray("int8", commits.stream().map(Commit::size).toArray(Long[]::new))
                .addArray("bool", commits.stream().map(Commit::append).toArray(Boolean[]::new))
                .addArray("bool", commits.stream().map(Commit::killSuidgid).toArray(Boolean[]::new))
                .addArray("int8", commits.stream().map(c -> c.mtime().seconds()).toArray(Long[]::new))
                .addArray("int4", commits.stream().map(c -> c.mtime().nanos()).toArray(Integer[]::new))
                .addArray("int4", commits.stream().map(c -> c.extents().size()).toArray(Integer[]::new))
                .addArray("int8", changes(commits));
        ExtentRows.addPlaces(parameters, extents);
        ExtentRows.addFrames(parameters, extents);
        ExtentRows.addData(parameters, extents);
        ExtentRows.addSegments(parameters, extents);
    }

    /** As larder_v1.commit takes them; nothing, when no member has any. */
    private static Long[] changes(List<Commit> commits) {
        if (commits.stream().allMatch(commit -> commit.then() == null)) {
            return new Long[0];
        }
        Long[] numbers = new Long[CHANGE_NUMBERS * commits.size()];
        for (int i = 0; i < commits.size(); i++) {
            if (commits.get(i).then() != null) {
                put(commits.get(i).then(), numbers, CHANGE_NUMBERS * i);
            }
        }
        return numbers;
    }

    private static void put(SetAttributes change, Long[] numbers, int at) {
        if (change.size() != null) {
            throw new IllegalArgumentException("a commit and a cut are two statements");
        }
        put(change.ctime(), numbers, at);
        put(change.mtime(), numbers, at + 2);
        put(change.atime(), numbers, at + 4);
        Integer mode = change.mode();
        numbers[at + 6] = mode == null ? null : mode.longValue();
        numbers[at + 7] = change.uid();
        numbers[at + 8] = change.gid();
        numbers[at + 9] = change.killSuidgid() ? 1L : 0L;
    }

    private static void put(FileTime time, Long[] numbers, int at) {
        if (time != null) {
            numbers[at] = time.seconds();
            numbers[at + 1] = (long) time.nanos();
        }
    }

    Attributes punch(Op op, long inode, long offset, long length, boolean unwritten, FileTime now) {
        return statements.mutate(
                op,
                PUNCH,
                parameters -> parameters
                        .add(inode)
                        .add(offset)
                        .add(length)
                        .add(unwritten)
                        .add(now),
                RowReading::attributes);
    }

    Attributes preallocate(Op op, long inode, long offset, long length, boolean keepSize, FileTime now) {
        return statements.mutate(
                op,
                PREALLOCATE,
                parameters -> parameters
                        .add(inode)
                        .add(offset)
                        .add(length)
                        .add(keepSize)
                        .add(now),
                RowReading::attributes);
    }

    Attributes shift(Op op, long inode, long offset, long shift, FileTime now) {
        return statements.mutate(
                op,
                SHIFT,
                parameters -> parameters.add(inode).add(offset).add(shift).add(now),
                RowReading::attributes);
    }

    Attributes copyRange(Op op, long inode, long offset, long toInode, long toOffset, long length, FileTime now) {
        return statements.mutate(
                op,
                COPY_RANGE,
                parameters -> parameters
                        .add(inode)
                        .add(offset)
                        .add(toInode)
                        .add(toOffset)
                        .add(length)
                        .add(now),
                RowReading::attributes);
    }
}
