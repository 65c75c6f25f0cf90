package dev.larder.volume.metadata;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Maintenance.Finding;
import java.util.List;

/**
 * The recorded usage against a recount by pages of inodes, exact while others write: the argument stands at
 * {@code larder_v1.usage_page}. One use, one thread.
 */
final class UsageCheck {
    private static final int MAX_COUNTS = 5;

    private final SessionStatements statements;
    private final int pageRows;
    private String cursor;
    private Long after;
    private long bytes;
    private long inodes;
    private Recorded recorded;

    private record Recorded(long bytes, long inodes, int repairs) {}

    UsageCheck(SessionStatements statements, int pageRows) {
        this.statements = statements;
        this.pageRows = pageRows;
    }

    /** @throws ErrnoException EAGAIN when the change feed did not last for a whole count */
    List<Finding> run(boolean repair) {
        for (int count = 0; count < MAX_COUNTS; count++) {
            if (counted()) {
                return judge(repair);
            }
        }
        throw new ErrnoException(
                Errno.EAGAIN, "the usage cannot be counted: the volume's change feed was interrupted again and again");
    }

    private boolean counted() {
        cursor = null;
        after = Long.MIN_VALUE;
        bytes = 0;
        inodes = 0;
        while (after != null) {
            if (!page()) {
                return false;
            }
        }
        return true;
    }

    /** @return false: begin again */
    private boolean page() {
        return statements.query(
                "SELECT * FROM larder_v1.usage_page(?, ?, ?)",
                parameters -> parameters.add(cursor).add(after).add(pageRows),
                row -> {
                    cursor = row.getString(3);
                    after = row.getLong(4);
                    if (row.wasNull()) {
                        after = null;
                    }
                    bytes += row.getLong(5);
                    inodes += row.getLong(6);
                    recorded = new Recorded(row.getLong(7), row.getLong(8), row.getInt(9));
                    return !row.getBoolean(2);
                });
    }

    private List<Finding> judge(boolean repair) {
        long missingBytes = bytes - recorded.bytes();
        long missingInodes = inodes - recorded.inodes();
        if (missingBytes == 0 && missingInodes == 0) {
            return List.of();
        }
        boolean mended = repair
                && statements.query(
                        "SELECT * FROM larder_v1.mend_usage(?, ?, ?)",
                        parameters -> parameters
                                .add(recorded.repairs())
                                .add(missingBytes)
                                .add(missingInodes),
                        row -> row.getBoolean(2));
        return List.of(new Finding(
                "usage-mismatch", 0, null, "off by " + missingBytes + " bytes, " + missingInodes + " inodes", mended));
    }
}
