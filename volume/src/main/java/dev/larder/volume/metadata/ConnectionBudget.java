package dev.larder.volume.metadata;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many connections a process may have open at once, to the databases of all its volumes together. Who needs one more
 * waits its turn, and the pools are asked in turn to give up theirs: an idle connection at once, one in use when it comes
 * back. Thread-safe.
 */
public final class ConnectionBudget {
    public static final ConnectionBudget UNLIMITED = new ConnectionBudget(Integer.MAX_VALUE);

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long ASK_AGAIN_MILLIS = 20;
    /** SQLSTATE too_many_connections, as a server says it: the statement is tried again. */
    private static final String TOO_MANY = "53300";

    private final int most;
    private final Semaphore free;
    private final ReentrantLock turn = new ReentrantLock(true);
    private final ConcurrentLinkedDeque<Pool> pools = new ConcurrentLinkedDeque<>();

    public ConnectionBudget(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("at least 1 connection to databases is needed, not " + most);
        }
        this.most = most;
        this.free = new Semaphore(most);
    }

    /** What holds connections and can give them up. */
    @FunctionalInterface
    public interface Pool {
        /** What is idle is closed soon, what is in use when it comes back. Returns at once. */
        void giveUp();
    }

    /** Makes a connection. */
    @FunctionalInterface
    public interface Opener {
        Connection open() throws SQLException;
    }

    /** Asked for its connections from now on, until it is {@link #withdraw}n. */
    public void enlist(Pool pool) {
        if (isLimited()) {
            pools.addLast(pool);
        }
    }

    public void withdraw(Pool pool) {
        pools.remove(pool);
    }

    /** Connections that are open now. */
    public int open() {
        return most - free.availablePermits();
    }

    public int most() {
        return most;
    }

    private boolean isLimited() {
        return most < Integer.MAX_VALUE;
    }

    /** @throws SQLTransientConnectionException none became free in 5 s */
    Connection connect(Opener opener) throws SQLException {
        if (!isLimited()) {
            return opener.open();
        }
        acquire();
        Connection opened = null;
        try {
            opened = opener.open();
            return counted(opened);
        } finally {
            if (opened == null) {
                free.release();
            }
        }
    }

    private void acquire() throws SQLException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try {
            if (!turn.tryLock(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
                throw exhausted();
            }
            try {
                while (!free.tryAcquire()) {
                    if (System.nanoTime() - deadline >= 0) {
                        throw exhausted();
                    }
                    askNext();
                    if (free.tryAcquire(ASK_AGAIN_MILLIS, TimeUnit.MILLISECONDS)) {
                        return;
                    }
                }
            } finally {
                turn.unlock();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while waiting for a connection", TOO_MANY, e);
        }
    }

    private SQLException exhausted() {
        return new SQLTransientConnectionException(
                "all " + most + " connections that this node may have to databases are in use: raise --connections",
                TOO_MANY);
    }

    private void askNext() {
        Pool next = pools.pollFirst();
        if (next != null) {
            pools.addLast(next);
            next.giveUp();
        }
    }

    /** Its end gives the place back. */
    private Connection counted(Connection connection) {
        AtomicBoolean ended = new AtomicBoolean();
        return (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    } finally {
                        boolean ends = method.getName().equals("close")
                                || method.getName().equals("abort");
                        if (ends && ended.compareAndSet(false, true)) {
                            free.release();
                        }
                    }
                });
    }
}
