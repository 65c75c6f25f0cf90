package dev.larder.volume.metadata;

import dev.larder.volume.FileName;
import dev.larder.volume.metadata.Maintenance.Finding;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * Looks for contradictions and mends them one by one; what one repair brings to light the next pass finds. The metadata is
 * read by pages, each a statement of its own; why that is exact while others write is told in R__75_check.sql. One use,
 * one thread.
 */
final class MetadataCheck {
    static final int PAGE = 10_000;
    private static final int MAX_PASSES = 4;
    /** Of a sum over more rows than a page that others change meanwhile. */
    private static final int MAX_COUNTS = 5;

    private static final String PART = "part";

    private final SessionStatements statements;
    private final int pageRows;
    private final boolean repair;
    private final LongConsumer checkedRows;
    private final Set<Finding> findings = new LinkedHashSet<>();
    private boolean mended;

    /** @param checkedRows told how many rows a page had, after each page */
    MetadataCheck(SessionStatements statements, int pageRows, boolean repair, LongConsumer checkedRows) {
        this.statements = statements;
        this.pageRows = pageRows;
        this.repair = repair;
        this.checkedRows = checkedRows;
    }

    List<Finding> run() {
        mended = true;
        for (int pass = 0; pass < MAX_PASSES && mended; pass++) {
            mended = false;
            for (Rules rules : Rules.values()) {
                walk(rules);
            }
        }
        findings.addAll(new UsageCheck(statements, pageRows).run(repair));
        return List.copyOf(findings);
    }

    /** The pages of one table; a sum is over the rows of one owner. */
    private enum Rules {
        DENTRIES("SELECT * FROM larder_v1.dentry_faults(?, ?, ?, ?)", "nlink-mismatch", 2) {
            @Override
            Place place(Fault end) {
                return new Place(end.parent(), end.inode(), end.name());
            }

            @Override
            void bind(Parameters parameters, Place after) throws SQLException {
                parameters.add(after.owner()).add(after.second()).add(after.name());
            }
        },
        INODES("SELECT * FROM larder_v1.inode_faults(?, ?)", "", 0) {
            @Override
            Place place(Fault end) {
                return new Place(end.inode(), 0, NO_NAME);
            }

            @Override
            void bind(Parameters parameters, Place after) throws SQLException {
                parameters.add(after.owner());
            }
        },
        EXTENTS("SELECT * FROM larder_v1.extent_faults(?, ?, ?)", "allocated-mismatch", 0) {
            @Override
            Place place(Fault end) {
                return new Place(end.inode(), end.parent(), NO_NAME);
            }

            @Override
            void bind(Parameters parameters, Place after) throws SQLException {
                parameters.add(after.owner()).add(after.second());
            }
        };

        private final String sql;
        private final String wrongSum;
        private final int besides;

        /**
         * @param wrongSum the fault of an owner whose recorded sum is another
         * @param besides what the recorded value has besides the sum
         */
        Rules(String sql, String wrongSum, int besides) {
            this.sql = sql;
            this.wrongSum = wrongSum;
            this.besides = besides;
        }

        abstract Place place(Fault end);

        abstract void bind(Parameters parameters, Place after) throws SQLException;
    }

    /** A key of a table: the owner (the directory, or the inode) first. */
    private record Place(long owner, long second, byte[] name) {
        static final Place BEFORE_ALL = new Place(Long.MIN_VALUE, Long.MIN_VALUE, NO_NAME);

        static Place before(long owner) {
            return new Place(owner - 1, Long.MAX_VALUE, NO_NAME);
        }
    }

    private static final byte[] NO_NAME = {};

    /** @param what null = where a page ended */
    private record Fault(
            String what,
            long inode,
            long parent,
            byte[] name,
            String detail,
            long counted,
            long recorded,
            String version) {}

    /** A sum over more rows than a page, so far. */
    private record Tally(long owner, long counted, long recorded, String version, boolean changed) {
        Tally plus(Fault part) {
            return new Tally(
                    owner,
                    counted + part.counted(),
                    part.recorded(),
                    part.version(),
                    changed || !version.equals(part.version()));
        }
    }

    private void walk(Rules rules) {
        Tally open = null;
        Place after = Place.BEFORE_ALL;
        while (after != null) {
            List<Fault> page = page(rules, after);
            Place end = end(rules, page);
            open = continued(open, page);
            if (open != null && (end == null || end.owner() != open.owner())) {
                judge(rules, open);
                open = null;
            }
            open = open == null ? begun(page, after) : open;
            for (Fault fault : page) {
                if (fault.what() != null && !fault.what().equals(PART)) {
                    boolean done = repair && mend(fault);
                    found(new Finding(fault.what(), fault.inode(), name(fault), fault.detail(), done));
                }
            }
            if (end != null) {
                checkedRows.accept(pageRows);
            }
            after = end;
        }
    }

    private static Tally continued(Tally open, List<Fault> page) {
        return parts(page)
                .filter(part -> open != null && part.inode() == open.owner())
                .findFirst()
                .map(part -> open.plus(part))
                .orElse(null);
    }

    /** The part of an owner behind whose beginning the page is does not begin a sum. */
    private static Tally begun(List<Fault> page, Place after) {
        return parts(page)
                .filter(part -> part.inode() != after.owner())
                .findFirst()
                .map(part -> new Tally(part.inode(), part.counted(), part.recorded(), part.version(), false))
                .orElse(null);
    }

    private static Stream<Fault> parts(List<Fault> page) {
        return page.stream().filter(fault -> PART.equals(fault.what()));
    }

    /** A sum that others changed while it was counted, or before it was mended, is counted again, and let be in the end. */
    private void judge(Rules rules, Tally first) {
        Tally sum = first;
        for (int count = 1; sum != null; count++) {
            if (!sum.changed()) {
                if (sum.counted() == sum.recorded()) {
                    return;
                }
                boolean done = repair && mend(rules, sum);
                if (done || !repair || count == MAX_COUNTS) {
                    String detail = (sum.recorded() + rules.besides) + " instead of " + (sum.counted() + rules.besides);
                    found(new Finding(rules.wrongSum, sum.owner(), null, detail, done));
                    return;
                }
            } else if (count == MAX_COUNTS) {
                return;
            }
            sum = count(rules, sum.owner());
        }
    }

    /** @return null when it has no more rows than a page now */
    private Tally count(Rules rules, long owner) {
        Place after = Place.before(owner);
        List<Fault> page = page(rules, after);
        Tally sum = begun(page, after);
        if (sum == null || sum.owner() != owner) {
            return null;
        }
        after = end(rules, page);
        while (sum != null && after != null && after.owner() == owner) {
            page = page(rules, after);
            sum = continued(sum, page);
            after = end(rules, page);
        }
        return sum;
    }

    private void found(Finding finding) {
        mended |= finding.repaired();
        findings.add(finding);
    }

    private static FileName name(Fault fault) {
        return fault.name() == null ? null : FileName.of(fault.name());
    }

    private static Place end(Rules rules, List<Fault> page) {
        return page.stream()
                .filter(fault -> fault.what() == null)
                .findFirst()
                .map(rules::place)
                .orElse(null);
    }

    private List<Fault> page(Rules rules, Place after) {
        return statements.queryRows(
                rules.sql,
                parameters -> {
                    rules.bind(parameters, after);
                    parameters.add(pageRows);
                },
                rows -> {
                    List<Fault> faults = new ArrayList<>();
                    while (rows.next()) {
                        faults.add(new Fault(
                                rows.getString(1),
                                rows.getLong(2),
                                rows.getLong(3),
                                rows.getBytes(4),
                                rows.getString(5),
                                rows.getLong(6),
                                rows.getLong(7),
                                rows.getString(8)));
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

    private boolean mend(Rules rules, Tally sum) {
        return statements.query(
                "SELECT * FROM larder_v1.mend_sum(?, ?, ?, ?)",
                parameters -> parameters
                        .add(rules.wrongSum)
                        .add(sum.owner())
                        .add(sum.counted())
                        .add(sum.version()),
                row -> row.getBoolean(2));
    }
}
