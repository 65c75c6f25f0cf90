package dev.larder.volume.engine;

import dev.larder.volume.ErrnoException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Commits in the background what has been dirty for a while, what failed before, and what a predecessor left. */
final class WriteBack implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WriteBack.class);
    private static final long TICK_MILLIS = 500;
    private static final long PAUSE_MILLIS = 20;
    private static final Duration RETRY = Duration.ofSeconds(2);
    private static final int PARALLEL = 8;

    private final InodeTable table;
    private final Committer committer;
    private final Dirtiness dirtiness;
    private final Durability durability;
    private final ContentOptions options;
    private final Executor executor;
    private final Semaphore permits = new Semaphore(PARALLEL);
    private final Thread thread;
    private volatile boolean closed;

    WriteBack(
            InodeTable table,
            Committer committer,
            Dirtiness dirtiness,
            Durability durability,
            ContentOptions options,
            Executor executor) {
        this.table = table;
        this.committer = committer;
        this.dirtiness = dirtiness;
        this.durability = durability;
        this.options = options;
        this.executor = executor;
        this.thread = Thread.ofVirtual().name("write-back").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        while (!closed) {
            try {
                dirtiness.awaitCrowd(TICK_MILLIS);
                tick();
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                return;
            } catch (ErrnoException e) {
                LOG.debug("write-back: {}", e.getMessage());
            } catch (RuntimeException e) {
                LOG.error("write-back goes on after a failure that was not foreseen", e);
            }
        }
    }

    private void tick() throws InterruptedException {
        long now = System.nanoTime();
        boolean crowded = dirtiness.isCrowded();
        for (OpenInode in : table.all()) {
            if (in.countedDirty > 0 && isDue(in, now, crowded)) {
                in.retryAt = now + options.flushAge().toNanos();
                commitInBackground(in.inode);
            }
        }
        if (durability.unflushed() > 0) {
            durability.flush();
        }
    }

    private boolean isDue(OpenInode in, long now, boolean crowded) {
        boolean old = crowded || now - in.dirtySince > options.flushAge().toNanos();
        return old && (in.retryAt == 0 || now - in.retryAt > 0);
    }

    private void commitInBackground(long inode) throws InterruptedException {
        permits.acquire();
        executor.execute(() -> {
            OpenInode in = table.use(inode);
            try {
                committer.commit(in);
            } catch (ErrnoException e) {
                in.retryAt = System.nanoTime() + RETRY.toNanos();
                LOG.warn(
                        "not committed yet, will be tried again: inode={} dirtyBytes={} cause={}",
                        inode,
                        in.countedDirty,
                        e.getMessage());
            } finally {
                table.done(in);
                permits.release();
            }
        });
    }

    /** Commits of its own that are under way are finished. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(options.patience());
            if (permits.tryAcquire(PARALLEL, options.patience().toMillis(), TimeUnit.MILLISECONDS)) {
                permits.release(PARALLEL);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
