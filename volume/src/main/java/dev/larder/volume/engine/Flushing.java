package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.LostChangesException;
import dev.larder.volume.engine.OpenInode.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Commits and makes durable, one inode or all of them, and says once what a crash of the database took. */
final class Flushing {
    /** A crash of the database in each of them, and a sync gives up. */
    private static final int SYNC_ROUNDS = 3;

    private final InodeTable table;
    private final Revalidation revalidation;
    private final OpenFiles open;
    private final Committer committer;
    private final Durability durability;
    private final Duration patience;
    private final Executor executor;

    Flushing(
            InodeTable table,
            Revalidation revalidation,
            OpenFiles open,
            Committer committer,
            Durability durability,
            Duration patience,
            Executor executor) {
        this.table = table;
        this.revalidation = revalidation;
        this.open = open;
        this.committer = committer;
        this.durability = durability;
        this.patience = patience;
        this.executor = executor;
    }

    /** @throws ErrnoException EIO, once, when commits of the inode were lost */
    void fsync(OpenInode in) {
        open.commit(in);
        durability.flush();
        if (durability.isSuspect(in.inode) || durability.takeDirtyAgain(in.inode)) {
            table.distrust();
            settle(in);
            committer.commit(in);
            durability.flush();
        }
        if (durability.takeLost(in.inode)) {
            throw new ErrnoException(Errno.EIO, "the database lost changes of inode " + in.inode + ", or may have");
        }
    }

    /** What is dirty, of every inode, is committed when it returns. */
    void flushAll() {
        List<CompletableFuture<Void>> commits = new ArrayList<>();
        for (OpenInode in : table.all()) {
            if (in.pending != null || in.mode == Mode.PASSTHROUGH && in.writers > 0) {
                commits.add(CompletableFuture.runAsync(() -> commitUnlessGone(in.inode), executor));
            }
        }
        try {
            CompletableFuture.allOf(commits.toArray(CompletableFuture[]::new))
                    .orTimeout(2 * patience.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TimeoutException) {
                throw new ErrnoException(Errno.ETIMEDOUT, "not everything was committed in time", e);
            }
            throw Failures.of("not everything was committed", e.getCause());
        }
    }

    /** What cannot be saved with any patience is lost, which a sync tells. */
    private void commitUnlessGone(long inode) {
        OpenInode in = table.use(inode);
        try {
            open.commit(in);
        } catch (ErrnoException e) {
            if (!in.gone) {
                throw e;
            }
        } finally {
            table.done(in);
        }
    }

    /**
     * Everything that a crash took is known at its end, so that it is told at once and not again.
     *
     * @throws LostChangesException once, when commits were lost that no fsync has told
     */
    void syncAll() {
        for (int round = 0; round < SYNC_ROUNDS; round++) {
            settleAll();
            flushAll();
            durability.flush();
            if (durability.suspects().isEmpty()) {
                break;
            }
        }
        if (durability.takeUntold()) {
            throw new LostChangesException("the database lost commits, or may have");
        }
        if (!durability.suspects().isEmpty()) {
            throw new ErrnoException(Errno.EIO, "the database crashed again and again while this waited for it");
        }
    }

    /** What a crash of the database took is dirty again, when the cache still has it, or known to be lost. */
    void findLost() {
        durability.flush();
        settleAll();
    }

    private void settleAll() {
        List<Long> suspects = durability.suspects();
        if (suspects.isEmpty()) {
            return;
        }
        table.distrust();
        for (long inode : suspects) {
            OpenInode in = table.use(inode);
            try {
                settle(in);
            } finally {
                table.done(in);
            }
        }
    }

    /** The loss of an inode that is gone is noted, too. */
    private void settle(OpenInode in) {
        in.lock.lock();
        try {
            revalidation.settle(in);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
        } finally {
            in.lock.unlock();
        }
    }
}
