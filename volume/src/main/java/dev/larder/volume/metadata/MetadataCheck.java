package dev.larder.volume.metadata;

import dev.larder.volume.FileName;
import dev.larder.volume.metadata.Maintenance.Finding;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;

/** Looks for contradictions and mends them one by one; what one repair brings to light the next pass finds. */
final class MetadataCheck {
    private static final int MAX_PASSES = 4;
    static final int PAGE = 10_000;
    private static final Fault BEFORE_ALL = new Fault(null, Long.MIN_VALUE, Long.MIN_VALUE, new byte[0], null);

    private final SessionStatements statements;

    MetadataCheck(SessionStatements statements) {
        this.statements = statements;
    }

    /** @param checkedRows told how many rows a page had, after each page */
    List<Finding> run(boolean repair, LongConsumer checkedRows) {
        Set<Finding> findings = new LinkedHashSet<>();
        boolean mended = true;
        for (int pass = 0; pass < MAX_PASSES && mended; pass++) {
            mended = settle(linkFaults(), repair, findings);
            for (Rules rules : Rules.values()) {
                mended |= walk(rules, repair, findings, checkedRows);
            }
        }
        findings.addAll(usage(repair));
        return List.copyOf(findings);
    }

    /** Pages of one table, each a transaction of its own: no snapshot lasts longer than a page. */
    private enum Rules {
        DENTRIES("SELECT * FROM larder_v1.dentry_faults(?, ?, ?, ?)"),
        INODES("SELECT * FROM larder_v1.inode_faults(?, ?)"),
        EXTENTS("SELECT * FROM larder_v1.extent_faults(?, ?, ?)");

        private final String sql;

        Rules(String sql) {
            this.sql = sql;
        }

        private Parameters bind(Parameters parameters, Fault after) throws SQLException {
            return switch (this) {
                case DENTRIES ->
                    parameters.add(after.parent()).add(after.inode()).add(after.name());
                case INODES -> parameters.add(after.inode());
                case EXTENTS -> parameters.add(after.inode()).add(after.parent());
            };
        }
    }

    private boolean walk(Rules rules, boolean repair, Set<Finding> findings, LongConsumer checkedRows) {
        boolean mended = false;
        Fault after = BEFORE_ALL;
        while (after != null) {
            Fault from = after;
            List<Fault> page =
                    faults(rules.sql, parameters -> rules.bind(parameters, from).add(PAGE));
            after = page.stream()
                    .filter(fault -> fault.what() == null)
                    .findFirst()
                    .orElse(null);
            mended |= settle(page.stream().filter(fault -> fault.what() != null).toList(), repair, findings);
            if (after != null) {
                checkedRows.accept(PAGE);
            }
        }
        return mended;
    }

    private boolean settle(List<Fault> faults, boolean repair, Set<Finding> findings) {
        boolean mended = false;
        for (Fault fault : faults) {
            boolean repaired = repair && mend(fault);
            mended |= repaired;
            findings.add(new Finding(fault.what(), fault.inode(), name(fault), fault.detail(), repaired));
        }
        return mended;
    }

    /** @param what null = where a page ended */
    private record Fault(String what, long inode, long parent, byte[] name, String detail) {}

    private static FileName name(Fault fault) {
        return fault.name() == null ? null : FileName.of(fault.name());
    }

    private List<Fault> linkFaults() {
        return faults("SELECT * FROM larder_v1.link_faults()", parameters -> {});
    }

    private List<Fault> faults(String sql, Parameters.Binder binder) {
        return statements.queryRows(sql, binder, rows -> {
            List<Fault> faults = new ArrayList<>();
            while (rows.next()) {
                faults.add(new Fault(
                        rows.getString(1), rows.getLong(2), rows.getLong(3), rows.getBytes(4), rows.getString(5)));
            }
            return faults;
        });
    }

    private boolean mend(Fault fault) {
        return statements.query(
                "SELECT * FROM larder_v1.mend(?, ?, ?, ?, ?)",
                parameters -> parameters
                        .add(fault.what())
                        .add(fault.inode())
                        .add(fault.parent())
                        .add(fault.name())
                        .add(fault.detail()),
                row -> row.getBoolean(2));
    }

    /** The quota's base against a recount. */
    private List<Finding> usage(boolean repair) {
        return statements.query("SELECT * FROM larder_v1.check_usage(?)", parameters -> parameters.add(repair), row -> {
            long bytes = row.getLong(2);
            long inodes = row.getLong(3);
            return bytes == 0 && inodes == 0
                    ? List.of()
                    : List.of(new Finding(
                            "usage-mismatch", 0, null, "off by " + bytes + " bytes, " + inodes + " inodes", repair));
        });
    }
}
