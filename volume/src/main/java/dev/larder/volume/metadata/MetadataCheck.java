package dev.larder.volume.metadata;

import dev.larder.volume.FileName;
import dev.larder.volume.metadata.Maintenance.Finding;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Looks for contradictions and mends them one by one; what one repair brings to light the next pass finds. */
final class MetadataCheck {
    private static final int MAX_PASSES = 4;

    private final SessionStatements statements;

    MetadataCheck(SessionStatements statements) {
        this.statements = statements;
    }

    List<Finding> run(boolean repair) {
        Set<Finding> findings = new LinkedHashSet<>();
        for (int pass = 0; pass < MAX_PASSES; pass++) {
            boolean mended = false;
            for (Fault fault : faults()) {
                boolean repaired = repair && mend(fault);
                mended |= repaired;
                findings.add(new Finding(fault.what(), fault.inode(), name(fault), fault.detail(), repaired));
            }
            if (!mended) {
                break;
            }
        }
        findings.addAll(usage(repair));
        return List.copyOf(findings);
    }

    private record Fault(String what, long inode, long parent, byte[] name, String detail) {}

    private static FileName name(Fault fault) {
        return fault.name() == null ? null : FileName.of(fault.name());
    }

    private List<Fault> faults() {
        return statements.queryRows("SELECT * FROM larder_v1.faults()", parameters -> {}, rows -> {
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
