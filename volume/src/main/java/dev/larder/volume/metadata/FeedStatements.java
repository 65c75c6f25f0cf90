package dev.larder.volume.metadata;

import dev.larder.volume.FileName;
import dev.larder.volume.metadata.Metadata.Change;
import dev.larder.volume.metadata.Metadata.FeedPage;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/** The change feed's statement. Every reader also gives the oldest of the feed's tables up, about once a minute. */
final class FeedStatements {
    private static final String FEED = "SELECT * FROM larder_v1.feed(?, ?, ?)";
    private static final String TRIM = "SELECT larder_v1.trim_feed()";

    /** More changes than this at once: dropping everything is cheaper. */
    private static final int MAX_CHANGES = 50_000;

    private static final long TRIM_INTERVAL_NS = Duration.ofSeconds(20).toNanos();
    private static final Change.Kind[] KINDS = Change.Kind.values();

    private final SessionStatements statements;
    private final AtomicLong trimmedNs = new AtomicLong(System.nanoTime());

    FeedStatements(SessionStatements statements) {
        this.statements = statements;
    }

    FeedPage feed(String cursor) {
        long trimmed = trimmedNs.get();
        if (System.nanoTime() - trimmed > TRIM_INTERVAL_NS && trimmedNs.compareAndSet(trimmed, System.nanoTime())) {
            statements.queryRows(TRIM, parameters -> {}, ResultSet::next);
        }
        return statements.queryRows(
                FEED,
                parameters -> parameters.add(statements.session()).add(cursor).add(MAX_CHANGES),
                FeedStatements::page);
    }

    private static FeedPage page(ResultSet rows) throws SQLException {
        if (!rows.next()) {
            throw new SQLException("larder_v1.feed answered no row");
        }
        return new FeedPage(
                rows.getString("next_cursor"),
                rows.getBoolean("lost"),
                rows.getObject("incarnation", UUID.class),
                rows.getInt("others"),
                changes(rows));
    }

    private static List<Change> changes(ResultSet row) throws SQLException {
        Array kinds = row.getArray("kinds");
        if (kinds == null) {
            return List.of();
        }
        Object[] kind = (Object[]) kinds.getArray();
        Object[] parent = array(row, "parents");
        Object[] name = array(row, "names");
        Object[] inode = array(row, "inodes");
        Object[] offset = array(row, "offs");
        Object[] length = array(row, "lens");
        List<Change> changes = new ArrayList<>(kind.length);
        for (int i = 0; i < kind.length; i++) {
            changes.add(new Change(
                    KINDS[((Number) kind[i]).intValue()],
                    (Long) parent[i],
                    name[i] == null ? null : FileName.of((byte[]) name[i]),
                    (Long) inode[i],
                    (Long) offset[i],
                    (Long) length[i]));
        }
        return changes;
    }

    private static Object[] array(ResultSet row, String column) throws SQLException {
        return (Object[]) row.getArray(column).getArray();
    }
}
