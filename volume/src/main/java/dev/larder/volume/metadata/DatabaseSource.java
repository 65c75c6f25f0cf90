package dev.larder.volume.metadata;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.postgresql.ds.PGSimpleDataSource;

/** New connections to one volume's database, within a budget; the password is asked for each, so a rotated one is found. */
public final class DatabaseSource extends PGSimpleDataSource {
    private static final long serialVersionUID = 1L;

    private static final int CONNECT_TIMEOUT_SECONDS = 5;
    private static final long BORROW_TIMEOUT_MS = 5_000;
    private static final long MAX_LIFETIME_MS = 30 * 60_000L;

    /** Closes what is idle, for the pools of all volumes. What it does cannot fail and takes moments. */
    private static final class Housekeeper {
        static final ScheduledThreadPoolExecutor ONE = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("larder-connections").factory());

        static {
            ONE.setRemoveOnCancelPolicy(true);
            ONE.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        }
    }

    private final transient Supplier<String> passwords;
    private final transient ConnectionBudget budget;

    /**
     * @param url jdbc:postgresql://host:port/database, without credentials
     * @param silenceSeconds of the server, after which a connection counts as dead
     */
    public DatabaseSource(
            String url,
            String user,
            Supplier<String> passwords,
            String applicationName,
            int silenceSeconds,
            ConnectionBudget budget) {
        this.passwords = passwords;
        this.budget = budget;
        setUrl(url);
        setUser(user);
        setApplicationName(applicationName);
        setPrepareThreshold(1);
        setTcpKeepAlive(true);
        setConnectTimeout(CONNECT_TIMEOUT_SECONDS);
        setLoginTimeout(2 * CONNECT_TIMEOUT_SECONDS);
        setSocketTimeout(silenceSeconds);
    }

    /** Runs a short task once. */
    static void later(Duration delay, Runnable task) {
        CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS, Housekeeper.ONE)
                .execute(task);
    }

    @Override
    public Connection getConnection() throws SQLException {
        return budget.connect(() -> getConnection(getUser(), passwords.get()));
    }

    /** @param idle of a connection that is then closed, at least 10 s */
    public HikariDataSource pool(String name, int most, Duration idle) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(name);
        config.setDataSource(this);
        config.setMinimumIdle(0);
        config.setMaximumPoolSize(most);
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(BORROW_TIMEOUT_MS);
        config.setIdleTimeout(idle.toMillis());
        config.setMaxLifetime(MAX_LIFETIME_MS);
        config.setAutoCommit(true);
        config.setScheduledExecutor(Housekeeper.ONE);
        return new HikariDataSource(config);
    }
}
