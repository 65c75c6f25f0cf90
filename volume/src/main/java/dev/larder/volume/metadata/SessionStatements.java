package dev.larder.volume.metadata;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.HeldElsewhereException;
import dev.larder.volume.Op;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Executes one session's statements: each operation is one autocommitted {@code SELECT * FROM larder_v1.f(...)}. A
 * mutation holds one of the session's slots while it runs; slots are used in turn, so that its replay record outlives
 * the writing of its reply. Failures that pass (races, a server that restarts) are tried again until the deadline, under
 * the same operation number, so that what was executed before an answer was lost is not executed twice. Thread-safe.
 */
final class SessionStatements implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionStatements.class);

    private static final long FIRST_BACKOFF_MS = 2;
    private static final long LONGEST_BACKOFF_MS = 500;
    /** Of a statement that only asks whether the database is back. */
    private static final long PROBE_MS = 5_000;
    /** A database that comes back in the last moment is busy. */
    private static final long LEAST_MS = 2_000;

    private static final long WARN_EVERY_NS = 1_000_000_000;

    private final DatabasePool pool;
    private final Duration deadline;
    private final Outage outage;
    private final BlockingQueue<Integer> slots;
    private final UUID session;
    private final AtomicLong warned = new AtomicLong(System.nanoTime() - WARN_EVERY_NS - 1);
    private volatile long epoch;
    private volatile Runnable fenced = () -> {};

    SessionStatements(DatabasePool pool, MetadataOptions options, UUID session) {
        this.pool = pool;
        this.deadline = options.deadline();
        this.outage = new Outage(options.deadline());
        this.session = session;
        this.slots = new ArrayBlockingQueue<>(options.slots());
        for (int slot = 0; slot < options.slots(); slot++) {
            slots.add(slot);
        }
    }

    UUID session() {
        return session;
    }

    long epoch() {
        return epoch;
    }

    void opened(long newEpoch) {
        this.epoch = newEpoch;
    }

    void onFenced(Runnable told) {
        this.fenced = told;
    }

    long statements() {
        return pool.statements();
    }

    void rest(boolean resting) {
        pool.rest(resting);
    }

    /** Since the database answered last, whatever it answered. */
    Duration silence() {
        return outage.silence();
    }

    /** @throws ErrnoException ETIMEDOUT when the database has been silent for longer than operations wait */
    void requireAnswering() {
        if (outage.leftNs() <= 0) {
            throw noAnswer(null);
        }
    }

    /** One row, errno in its first column: thrown when it is not 0. */
    <T> T query(String sql, Parameters.Binder binder, RowReading.Reader<T> reader) {
        return queryRows(sql, binder, rows -> firstRow(rows, reader));
    }

    /** @param reader gets the result before its first row */
    <T> T queryRows(String sql, Parameters.Binder binder, RowReading.Reader<T> reader) {
        return retrying(Op.NONE, deadline, (resent, limitMs) -> execute(limitMs, sql, binder, reader));
    }

    /** As {@link #query}; gives up at a deadline of its own. */
    <T> T query(Duration within, String sql, Parameters.Binder binder, RowReading.Reader<T> reader) {
        return retrying(
                Op.NONE, within, (resent, limitMs) -> execute(limitMs, sql, binder, rows -> firstRow(rows, reader)));
    }

    /**
     * A mutation with one row as its answer. The statement's first five parameters (session, slot, epoch, op, resent)
     * are bound here.
     */
    <T> T mutate(Op op, String sql, Parameters.Binder binder, RowReading.Reader<T> reader) {
        return mutateRows(op, sql, binder, rows -> firstRow(rows, reader));
    }

    /** @param reader gets the result before its first row */
    <T> T mutateRows(Op op, String sql, Parameters.Binder binder, RowReading.Reader<T> reader) {
        long number = op.id() != 0 ? op.id() : ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE;
        int slot = takeSlot();
        try {
            return retrying(
                    op,
                    deadline,
                    (resent, limitMs) -> execute(
                            limitMs,
                            sql,
                            parameters -> {
                                parameters
                                        .add(session)
                                        .add(slot)
                                        .add(epoch)
                                        .add(number)
                                        .add(resent);
                                binder.bind(parameters);
                            },
                            reader));
        } finally {
            slots.add(slot);
        }
    }

    private <T> T execute(long limitMs, String sql, Parameters.Binder binder, RowReading.Reader<T> reader)
            throws SQLException {
        try (Connection connection = pool.borrow(limitMs);
                PreparedStatement statement = connection.prepareStatement(sql)) {
            binder.bind(new Parameters(statement));
            try (ResultSet rows = statement.executeQuery()) {
                outage.answered();
                return reader.read(rows);
            }
        } finally {
            pool.returned();
        }
    }

    private static <T> T firstRow(ResultSet rows, RowReading.Reader<T> reader) throws SQLException {
        if (!rows.next()) {
            throw new SQLException("a statement of larder_v1 answered no row");
        }
        int errno = rows.getInt(1);
        if (errno != 0) {
            throw new ErrnoException(Errno.of(errno));
        }
        return reader.read(rows);
    }

    private int takeSlot() {
        try {
            long left = Math.max(0, Math.min(deadline.toNanos(), outage.leftNs()));
            Integer slot = slots.poll(left, TimeUnit.NANOSECONDS);
            if (slot == null) {
                throw new ErrnoException(Errno.ETIMEDOUT, "no free metadata slot within " + deadline);
            }
            return slot;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while waiting for a metadata slot", e);
        }
    }

    private interface Attempt<T> {
        /** @param limitMs how long the database may be silent */
        T execute(boolean resent, long limitMs) throws SQLException;
    }

    private <T> T retrying(Op op, Duration within, Attempt<T> attempt) {
        long own = System.nanoTime() + within.toNanos();
        long backoffMs = FIRST_BACKOFF_MS;
        boolean resent = op.resent();
        while (true) {
            long begin = System.nanoTime();
            long left = Math.min(own - begin, outage.leftNs());
            if (left <= 0 && !outage.takeProbe()) {
                throw noAnswer(null);
            }
            try {
                return attempt.execute(
                        resent, left <= 0 ? PROBE_MS : Math.max(LEAST_MS, TimeUnit.NANOSECONDS.toMillis(left)));
            } catch (SQLException e) {
                SqlFailure failure = SqlFailure.of(e);
                if (failure != SqlFailure.CONNECTION) {
                    outage.answered();
                }
                switch (failure) {
                    case FENCED -> {
                        fenced.run();
                        throw new ErrnoException(Errno.ESTALE, "session " + session + " is fenced or has ended", e);
                    }
                    case HELD -> throw new HeldElsewhereException(SqlFailure.message(e));
                    case ERRNO -> throw new ErrnoException(SqlFailure.errno(e), e.getMessage(), e);
                    case FATAL -> {
                        warnRefused(e);
                        throw new ErrnoException(Errno.EIO, "the metadata database: " + e.getMessage(), e);
                    }
                    case RACE -> {}
                    case CONNECTION -> {
                        resent = true;
                        outage.failed(begin);
                        pool.giveUp();
                    }
                }
                if (Math.min(own - System.nanoTime(), outage.leftNs()) < TimeUnit.MILLISECONDS.toNanos(backoffMs)) {
                    throw noAnswer(e);
                }
                LOG.debug(
                        "metadata statement again session={} backoff_ms={} cause={}", session, backoffMs, e.toString());
                pause(backoffMs);
                backoffMs = Math.min(2 * backoffMs, LONGEST_BACKOFF_MS);
            }
        }
    }

    /** The user sees EIO: here is why. One that every operation meets would fill the log. */
    private void warnRefused(SQLException cause) {
        long now = System.nanoTime();
        long before = warned.get();
        if (now - before > WARN_EVERY_NS && warned.compareAndSet(before, now)) {
            LOG.warn("the metadata database refuses a statement, operations fail with EIO: {}", cause.getMessage());
        }
    }

    private ErrnoException noAnswer(SQLException cause) {
        String message =
                "the metadata database has not answered for " + outage.silence().toSeconds() + " s";
        return cause == null
                ? new ErrnoException(Errno.ETIMEDOUT, message)
                : new ErrnoException(Errno.ETIMEDOUT, message + ": " + cause.getMessage(), cause);
    }

    /** Between half and all of the back-off. */
    private static void pause(long backoffMs) {
        try {
            Thread.sleep(backoffMs / 2 + ThreadLocalRandom.current().nextLong(backoffMs / 2 + 1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while the metadata database was away", e);
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
