package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A run that many may share: whoever {@link #join}s gets the outcome of a run that began after it asked. Nobody waits
 * for two runs of others when nothing is running: the first to ask runs it itself.
 */
final class Shared<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private final Supplier<T> run;
    private final Duration limit;
    private boolean running;
    private long begun;
    private long done;
    private T outcome;
    private ErrnoException failure;

    Shared(Supplier<T> run, Duration limit) {
        this.run = run;
        this.limit = limit;
    }

    /** @throws ErrnoException of the run; ETIMEDOUT when others' runs took too long */
    T join() {
        long mine = awaitTurn();
        return mine < 0 ? last() : lead(mine);
    }

    /** @return the number of the run to lead, or -1 when another's run that began later has ended */
    private long awaitTurn() {
        lock.lock();
        try {
            long wanted = begun + 1;
            long left = limit.toNanos();
            while (running && done < wanted) {
                if (left <= 0) {
                    throw new ErrnoException(Errno.ETIMEDOUT, "the database has not answered for " + limit);
                }
                left = ended.awaitNanos(left);
            }
            if (done >= wanted) {
                return -1;
            }
            running = true;
            return ++begun;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    private T lead(long mine) {
        T result = null;
        ErrnoException failed = null;
        try {
            result = run.get();
            return result;
        } catch (ErrnoException e) {
            failed = e;
            throw e;
        } catch (RuntimeException e) {
            failed = new ErrnoException(Errno.EIO, "unexpected failure", e);
            throw failed;
        } finally {
            end(mine, result, failed);
        }
    }

    private void end(long mine, T result, ErrnoException failed) {
        lock.lock();
        try {
            running = false;
            done = mine;
            outcome = result;
            failure = failed;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private T last() {
        lock.lock();
        try {
            if (failure != null) {
                throw failure;
            }
            return outcome;
        } finally {
            lock.unlock();
        }
    }
}
