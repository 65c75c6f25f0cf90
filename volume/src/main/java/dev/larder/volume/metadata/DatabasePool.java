package dev.larder.volume.metadata;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * The connections to one volume's database, none of them with any session state, so that PgBouncer may stand between.
 * Thread-safe; virtual threads may wait here.
 */
final class DatabasePool implements AutoCloseable {
    private static final Duration IDLE_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration REST_TIMEOUT = Duration.ofMillis(500);

    /** Longer than the server's statement_timeout: only a dead connection gets here. */
    private static final int SOCKET_TIMEOUT_SECONDS = 30;

    private final ConnectionBudget budget;
    private final ConnectionBudget.Pool giving = this::giveUp;
    private final HikariDataSource pool;
    private final AtomicBoolean closing = new AtomicBoolean();
    private volatile boolean resting;
    private final LongAdder statements = new LongAdder();

    DatabasePool(MetadataOptions options) {
        this.budget = options.budget();
        this.pool = new DatabaseSource(
                        options.url(),
                        options.user(),
                        options.password(),
                        "larder " + options.mount(),
                        SOCKET_TIMEOUT_SECONDS,
                        budget)
                .pool("larder-metadata", options.connections(), IDLE_TIMEOUT);
        budget.enlist(giving);
    }

    /** @param limitMs how long the server may then be silent; the pool undoes it when the connection is returned */
    Connection borrow(long limitMs) throws SQLException {
        statements.increment();
        Connection connection = pool.getConnection();
        if (limitMs < SOCKET_TIMEOUT_SECONDS * 1_000L) {
            try {
                connection.setNetworkTimeout(Runnable::run, (int) limitMs);
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        }
        return connection;
    }

    /** While it rests, a connection is closed a moment after its last use. */
    void rest(boolean on) {
        resting = on;
        returned();
    }

    /** After each loan. */
    void returned() {
        if (resting && closing.compareAndSet(false, true)) {
            DatabaseSource.later(REST_TIMEOUT, () -> {
                closing.set(false);
                if (resting) {
                    giveUp();
                }
            });
        }
    }

    /** Statements sent so far, one per loan. */
    long statements() {
        return statements.sum();
    }

    /**
     * What is idle is closed, what is in use when it comes back. Also when the server went away: what is idle is as dead
     * as the connection that noticed.
     */
    void giveUp() {
        if (pool.isClosed()) {
            return;
        }
        pool.getHikariPoolMXBean().softEvictConnections();
    }

    @Override
    public void close() {
        budget.withdraw(giving);
        pool.close();
    }
}
