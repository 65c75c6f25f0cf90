package dev.larder.volume.metadata;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The connections to one volume's database, none of them with any session state, so that PgBouncer may stand between.
 * Thread-safe; virtual threads may wait here.
 */
final class DatabasePool implements AutoCloseable {
    private static final int CONNECT_TIMEOUT_SECONDS = 5;
    private static final long BORROW_TIMEOUT_MS = 5_000;
    private static final long IDLE_TIMEOUT_MS = 60_000;
    private static final long MAX_LIFETIME_MS = 30 * 60_000L;

    /** Longer than the server's statement_timeout: only a dead connection gets here. */
    private static final int SOCKET_TIMEOUT_SECONDS = 30;

    private final HikariDataSource pool;
    private final LongAdder statements = new LongAdder();

    DatabasePool(MetadataOptions options) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("larder-metadata");
        config.setDataSource(new RotatingPasswordDataSource(options));
        config.setMinimumIdle(0);
        config.setMaximumPoolSize(options.connections());
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(BORROW_TIMEOUT_MS);
        config.setIdleTimeout(IDLE_TIMEOUT_MS);
        config.setMaxLifetime(MAX_LIFETIME_MS);
        config.setAutoCommit(true);
        this.pool = new HikariDataSource(config);
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

    /** Statements sent so far, one per loan. */
    long statements() {
        return statements.sum();
    }

    /** The server went away: what is idle is as dead as the connection that noticed. */
    void suspectIdle() {
        pool.getHikariPoolMXBean().softEvictConnections();
    }

    @Override
    public void close() {
        pool.close();
    }

    private static final class RotatingPasswordDataSource extends PGSimpleDataSource {
        private static final long serialVersionUID = 1L;

        private final transient Supplier<String> passwords;

        RotatingPasswordDataSource(MetadataOptions options) {
            this.passwords = options.password();
            setUrl(options.url());
            setUser(options.user());
            setApplicationName("larder " + options.mount());
            setPrepareThreshold(1);
            setTcpKeepAlive(true);
            setConnectTimeout(CONNECT_TIMEOUT_SECONDS);
            setLoginTimeout(2 * CONNECT_TIMEOUT_SECONDS);
            setSocketTimeout(SOCKET_TIMEOUT_SECONDS);
        }

        @Override
        public Connection getConnection() throws SQLException {
            return getConnection(getUser(), passwords.get());
        }
    }
}
